"""Opening a store for its one writer."""

import fcntl
import os
import sqlite3
from pathlib import Path
from typing import Final

from corrosion_edge.device.store.aside import new_place, put_aside
from corrosion_edge.device.store.database import DATABASE, FILES, connect, is_damage
from corrosion_edge.device.store.pictures import Pictures
from corrosion_edge.device.store.schema import migrate
from corrosion_edge.errors import StoreError

__all__ = ["connected", "locked", "require_ours"]

_READ: Final = (
    "SELECT sum(length(body)) FROM events",
    "SELECT sum(bytes) FROM pictures",
    "SELECT max(at) FROM summaries",
    "SELECT sum(size) FROM taken",
)
"""What reads every page that holds something."""


def require_ours(folder: Path) -> None:
    """Refuse a new store where ``pictures/`` has what no watch stored (StoreError)."""
    if (folder / DATABASE).exists():
        return
    if foreign := Pictures(folder / "pictures").foreign():
        more = f" and {len(foreign) - 1} more" if foreign[1:] else ""
        raise StoreError(
            f"{folder}: no store yet, and its folder pictures holds what no watch stored "
            f"({foreign[0]}{more}); name another folder for the store"
        )


def connected(folder: Path) -> tuple[sqlite3.Connection, Path | None]:
    """The database of the one writer: what is committed survives a power cut (StoreError).

    It is of the newest version, and was read through. One that is damaged is set aside and begun
    anew; then the second is where it lies.
    """
    path = folder / DATABASE
    place = None
    try:
        if not path.exists() and (folder / FILES[1]).exists():
            place = _set_aside(folder)  # a log whose database is lost
        try:
            return _opened(path), place
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            place = _set_aside(folder)
            return _opened(path), place
    except StoreError as error:
        raise StoreError(f"{folder}: {error}") from None
    except sqlite3.Error as error:
        raise StoreError(
            f"{path}: cannot be opened ({error}); put a copy of it back, or name a new folder"
        ) from None


def _opened(path: Path) -> sqlite3.Connection:
    database = connect(path, seconds=10)
    try:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            database.execute(f"PRAGMA {pragma}")
        migrate(database)
        for query in _READ:
            database.execute(query).fetchone()
    except BaseException:
        database.close()
        raise
    return database


def _set_aside(folder: Path) -> Path:
    place = new_place(folder)
    put_aside((folder / name for name in FILES), place)
    return place


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
