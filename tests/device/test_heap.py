"""What glibc itself says of a process's heap."""

import ctypes
import os
import platform
import subprocess
import sys
import threading

import pytest

from corrosion_edge.device.heap import (
    ARENAS,
    GivingBack,
    bound_arenas,
    give_back,
    keep,
    look,
    map_large_blocks,
)

THRESHOLD = "MALLOC_MMAP_THRESHOLD_"
GLIBC = platform.libc_ver()[0] == "glibc"
COUNT = """
import ctypes, sys, tempfile, threading
from corrosion_edge.device.heap import bound_arenas
told = bound_arenas()
gate = threading.Barrier(12)
def hold():
    block = ctypes.CDLL(None).malloc(5000)
    gate.wait()
threads = [threading.Thread(target=hold) for _ in range(12)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
with tempfile.NamedTemporaryFile() as file:
    stream = ctypes.c_void_p(libc.fopen(file.name.encode(), b"w"))
    libc.malloc_info(0, stream)
    libc.fclose(stream)
    print(told, file.read().decode().count("<heap nr="))
"""


def heaps(**environment):
    mine = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    done = subprocess.run([sys.executable, "-c", COUNT], check=True, capture_output=True, text=True,
                          env={**mine, **environment})  # fmt: skip
    told, count = done.stdout.split()
    return told == "True", int(count)


@pytest.mark.skipif(not GLIBC, reason="only glibc has arenas")
def test_threads_share_a_heap():
    assert heaps() == (True, ARENAS)


@pytest.mark.skipif(not GLIBC, reason="only glibc has arenas")
def test_what_the_environment_says_goes_before():
    told, count = heaps(MALLOC_ARENA_MAX="5")
    assert not told
    assert ARENAS < count <= 5


def test_another_library_is_left_alone(monkeypatch):
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    assert bound_arenas({}) is False
    assert map_large_blocks({}) is False
    assert give_back() is False


FREED = """
from pathlib import Path
from corrosion_edge.device.heap import give_back
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
kept = [bytearray(b"x" * 50_000) for _ in range(2000)]
last = kept[-1]
kept.clear()
before = resident()
print(give_back(), before - resident())
"""


@pytest.mark.skipif(not GLIBC, reason="only glibc trims")
def test_what_is_free_goes_back():
    done = subprocess.run([sys.executable, "-c", FREED], check=True, capture_output=True, text=True)
    told, bytes_ = done.stdout.split()
    assert told == "True"
    assert int(bytes_) > 50e6


BETWEEN = """
import ctypes
from pathlib import Path
from corrosion_edge.device.heap import map_large_blocks
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
def block(size):
    address = libc.malloc(size)
    ctypes.memset(address, 1, size)
    return address
told = map_large_blocks()
libc.free(block(8_000_000))  # from here on glibc would put such blocks into its heap
before = resident()
blocks = [(block(4_000_000), block(60_000)) for _ in range(20)]
for large, small in blocks:
    libc.free(large)
print(told, resident() - before)
"""


@pytest.mark.skipif(not GLIBC, reason="only glibc moves its threshold")
@pytest.mark.parametrize(("environment", "own"), [({}, True), ({THRESHOLD: "33000000"}, False)])
def test_large_blocks_leave_nothing_between_small_ones(environment, own):
    rest = {name: value for name, value in os.environ.items() if name != THRESHOLD}
    done = subprocess.run([sys.executable, "-c", BETWEEN], check=True, capture_output=True,
                          text=True, env={**rest, **environment})  # fmt: skip
    told, bytes_ = done.stdout.split()
    assert told == str(own)
    assert (int(bytes_) < 2e6) is own


def test_it_is_given_back_again_and_again_until_the_end(monkeypatch):
    given = threading.Semaphore(0)
    monkeypatch.setattr("corrosion_edge.device.heap.give_back", given.release)
    with GivingBack(0.01) as giving:
        assert all(given.acquire(timeout=10) for _ in range(3))
    assert not giving._thread.is_alive()


@pytest.mark.skipif(look() is None, reason="only glibc from 2.33 on has mallinfo2")
def test_what_is_in_use_is_told_apart_from_what_is_free():
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    before = look()
    # More than ``keep`` lets into the heap, and than tests before this one left free in it.
    small, large = 10_000, 100 * 2**20 + before.free
    blocks = [libc.malloc(small) for _ in range(500)]
    mapped = libc.malloc(ctypes.c_size_t(large))
    held = look()
    assert held.used - before.used >= 500 * small
    assert held.mapped - before.mapped >= large
    for block in (*blocks, mapped):
        libc.free(ctypes.c_void_p(block))
    after = look()
    assert abs(after.used - before.used) < 100 * small
    assert abs(after.mapped - before.mapped) < large


PAGES = """
import resource, sys
import numpy as np
from corrosion_edge.device.heap import keep
told = keep() if sys.argv[1] == "keep" else None
for turn in range(12):
    if turn == 2:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    [np.ones((1080, 1920, 3), np.uint8) for _ in range(4)]
print(told, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not GLIBC, reason="only glibc has the option")
def test_kept_memory_is_not_asked_for_anew(monkeypatch):
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    monkeypatch.delenv("MALLOC_MMAP_THRESHOLD_", raising=False)
    faults = {}
    for how in ("keep", "leave"):
        command = [sys.executable, "-c", PAGES, how]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        told, count = done.stdout.split()
        assert told == {"keep": "True", "leave": "None"}[how]
        faults[how] = int(count)
    assert faults["keep"] < 100
    assert faults["leave"] > faults["keep"]


def test_the_environment_goes_before_what_is_kept():
    assert keep({"MALLOC_TRIM_THRESHOLD_": "1"}) is False
