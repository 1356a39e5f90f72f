"""How the databases of a store are opened: with little memory, however large they become."""

import sqlite3
from pathlib import Path
from typing import Final

__all__ = ["CACHE_KIB", "DATABASE", "FILES", "connect", "is_damage"]

DATABASE: Final = "events.sqlite"
"""The database's name in the store's folder."""

FILES: Final = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm")
"""The database, its log, and the index of that, which belong together."""

CACHE_KIB: Final = 256
"""Most that a connection keeps of its file, in KiB. SQLite's own 2 MB are filled over weeks, by
each of a watch's four connections; what is read again is in the system's cache anyway."""


def connect(address: str | Path, *, seconds: float, uri: bool = False) -> sqlite3.Connection:
    """Open it, each statement a transaction of its own; sqlite3.Error where that fails.

    A database that another writes to is waited for, at most so many ``seconds``.
    """
    database = sqlite3.connect(address, uri=uri, isolation_level=None, timeout=seconds)
    try:
        database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    except sqlite3.Error:
        database.close()
        raise
    return database


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is damaged, or no database; not locked, full or of no permission."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
