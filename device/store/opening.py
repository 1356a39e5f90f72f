"""Opening a store for its one writer."""

import fcntl
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from corrosion_edge.device.store.aside import new_place, put_aside
from corrosion_edge.device.store.database import DATABASE, FILES, connect, is_damage
from corrosion_edge.device.store.pictures import ROOM, Pictures
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


_OLDEST: Final = (
    "SELECT uuid, min(role), nullif(max(role), min(role)) FROM pictures JOIN events "
    "USING (sequence) WHERE removed IS NULL GROUP BY sequence ORDER BY sequence"
)


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
            if is_damage(error):
                place = _set_aside(folder)
            elif not _made_room(folder):
                raise
            return _opened(path), place
    except StoreError as error:
        raise type(error)(f"{folder}: {error}") from None
    except sqlite3.Error as error:
        if _is_full(folder) and not _is_busy(error):
            raise StoreError(
                f"{folder}: the disk is full ({error}), and no picture is left that could make "
                f"room; free {ROOM / 1e6:.0f} MB or more on it"
            ) from None
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


def _made_room(folder: Path) -> bool:
    """On a full disk, where not even the log's index can be made, let the oldest pictures go.

    They are told of once the store is open, see ``Store.let_go_through``.
    """
    if not _is_full(folder):
        return False
    pictures, freed, gone = Pictures(folder / "pictures"), 0, list[tuple[str, str]]()
    # Not by connect, which would read before the mode is set in which no index is needed.
    with closing(sqlite3.connect(folder / DATABASE, timeout=10)) as database:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        for uuid, *roles in database.execute(_OLDEST):
            names = [(uuid, role) for role in roles if role is not None]
            freed, gone = freed + sum(pictures.sizes(names)), gone + names
            if freed >= ROOM:
                break
    pictures.empty(gone)
    return freed > 0


def _is_full(folder: Path) -> bool:
    return shutil.disk_usage(folder).free < ROOM


def _is_busy(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


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
