"""How the databases of a store are opened."""

import platform
import sqlite3
import subprocess
import sys

import pytest

from corrosion_edge.device.store.database import CACHE_KIB, connect

ROWS, WIDTH = 6000, 1000
HELD = """
import ctypes, sqlite3, sys
from corrosion_edge.device.store.database import connect
class Info(ctypes.Structure):  # struct mallinfo2 of malloc.h
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost").split()]
ask = ctypes.CDLL(None).mallinfo2
ask.restype = Info
how, path = sys.argv[1:]
database = connect(path, seconds=1) if how == "ours" else sqlite3.connect(path)
before = ask()
read = sum(len(body) for body, in database.execute("SELECT body FROM filled"))
after = ask()
print(read, after.uordblks + after.hblkhd - before.uordblks - before.hblkhd)
"""


@pytest.fixture
def filled(tmp_path):
    path = tmp_path / "filled.sqlite"
    database = connect(path, seconds=1)
    database.execute("CREATE TABLE filled (body TEXT)")
    database.execute("BEGIN")
    database.executemany("INSERT INTO filled VALUES (?)", [("x" * WIDTH,)] * ROWS)
    database.execute("COMMIT")
    database.close()
    return path


def held(how, path):
    done = subprocess.run([sys.executable, "-c", HELD, how, str(path)],
                          check=True, capture_output=True, text=True)  # fmt: skip
    read, bytes_ = map(int, done.stdout.split())
    assert read == ROWS * WIDTH
    return bytes_


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc tells what is held")
def test_a_connection_holds_little_of_a_large_file(filled):
    assert held("ours", filled) < 2 * CACHE_KIB * 1024
    assert held("plain", filled) > 4 * CACHE_KIB * 1024  # what the test would not see otherwise


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "damaged.sqlite"
    path.write_bytes(b"no database" * 100)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        connect(path, seconds=1)
