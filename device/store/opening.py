"""Opening a store for its one writer."""

import fcntl
import os
import sqlite3
from pathlib import Path

from corrosion_edge.device.store.database import connect
from corrosion_edge.errors import StoreError

__all__ = ["connected", "locked"]


def connected(path: Path) -> sqlite3.Connection:
    """The database of the one writer: what is committed survives a power cut (StoreError)."""
    try:
        database = connect(path, seconds=10)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            database.execute(f"PRAGMA {pragma}")
    except sqlite3.Error as error:
        raise StoreError(
            f"{path}: cannot be opened ({error}); put a copy of it back, or name a new folder"
        ) from None
    return database


def locked(folder: Path) -> int:
    """A lock that ends with the process, so that two watches never write one chain (StoreError)."""
    try:
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written ({error.strerror})") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise StoreError(
            f"{folder}: another process writes to this store; end it, or name another folder"
        ) from None
    return handle
