"""How far each consumer of a store has got: a small file of its own beside the events."""

import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from corrosion_edge.closing import Closing
from corrosion_edge.device.events.event import iso
from corrosion_edge.device.store.database import connect
from corrosion_edge.device.store.transaction import transaction
from corrosion_edge.errors import OutputError

__all__ = ["DELIVERIES", "NOWHERE", "Ledger", "Place", "SetAside"]

DELIVERIES: Final = "deliveries.sqlite"
"""The file's name in the store's folder. It is not part of the hash chain."""

_VERSION: Final = 1
_WITHIN: Final = 10.0  # seconds for another to let go of it
_TABLES: Final = f"""
BEGIN IMMEDIATE;
CREATE TABLE deliveries (
    consumer TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL, uuid TEXT NOT NULL, hash TEXT NOT NULL, at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE set_aside (
    consumer TEXT NOT NULL,
    sequence INTEGER NOT NULL, uuid TEXT NOT NULL, hash TEXT NOT NULL,
    at TEXT NOT NULL, reason TEXT NOT NULL
);
PRAGMA user_version = {_VERSION};
COMMIT;
"""


@dataclass(frozen=True, slots=True)
class Place:
    """An event's place in one chain: its number, its uuid, and its hash."""

    sequence: int
    uuid: str
    hash: str

    def __post_init__(self) -> None:
        if self.sequence < 0:
            raise ValueError(f"sequence: expected 0 or more, got {self.sequence}")


NOWHERE: Final = Place(0, "", "")
"""Before the first event of any chain."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """An event that a consumer refused for good, and why."""

    place: Place
    reason: str
    at: str = ""


class Ledger(Closing):
    """What was acknowledged; what ``note`` returned from is there after a power cut.

    Use one thread; several processes or threads may each have one open. A damaged file is put
    aside (``damaged`` is then true), as a note is no reason to keep a watch from starting.
    """

    def __init__(self, folder: Path, *, reading: bool = False) -> None:
        """Open or make it, or only read what is there (OutputError if that cannot be now)."""
        self.path = folder / DELIVERIES
        self._reading = reading
        self.damaged = False
        try:
            self._database = self._opened()
        except sqlite3.OperationalError as error:
            raise OutputError(f"{self.path}: cannot be opened ({error})") from None
        except sqlite3.DatabaseError as error:
            if reading:
                raise OutputError(f"{self.path}: damaged ({error})") from None
            self.damaged = True
            self._put_aside()
            with self._refusing():
                self._database = self._opened()

    def place(self, consumer: str) -> Place | None:
        """The last event that the consumer acknowledged, None for one that is new."""
        query = "SELECT sequence, uuid, hash FROM deliveries WHERE consumer = ?"
        with self._refusing():
            row = self._database.execute(query, (consumer,)).fetchone()
        return Place(*row) if row else None

    def note(self, consumer: str, place: Place, refused: Iterable[SetAside] = ()) -> None:
        """Remember the consumer's place, and what it refused on the way (OutputError)."""
        now = iso(datetime.now(UTC))
        rows = [(consumer, *_columns(each.place), now, each.reason) for each in refused]
        with self._refusing(), transaction(self._database) as database:
            database.execute(
                "INSERT OR REPLACE INTO deliveries (consumer, sequence, uuid, hash, at) "
                "VALUES (?, ?, ?, ?, ?)",
                (consumer, *_columns(place), now),
            )
            database.executemany("INSERT INTO set_aside VALUES (?, ?, ?, ?, ?, ?)", rows)

    def consumers(self) -> dict[str, Place]:
        """Every consumer's place (OutputError)."""
        query = "SELECT consumer, sequence, uuid, hash FROM deliveries ORDER BY consumer"
        with self._refusing():
            return {row[0]: Place(*row[1:]) for row in self._database.execute(query)}

    def set_aside(self, consumer: str) -> list[SetAside]:
        """What the consumer refused, in order (OutputError)."""
        query = ("SELECT sequence, uuid, hash, reason, at FROM set_aside WHERE consumer = ? "
                 "ORDER BY rowid")  # fmt: skip
        with self._refusing():
            rows = self._database.execute(query, (consumer,)).fetchall()
        return [SetAside(Place(*row[:3]), *row[3:]) for row in rows]

    def close(self) -> None:
        """See ``Closing.close``."""
        self._database.close()

    def _opened(self) -> sqlite3.Connection:
        """Open it; while another opens it anew, SQLite itself does not wait."""
        end = time.monotonic() + _WITHIN
        while True:
            try:
                return self._tried()
            except sqlite3.OperationalError as error:
                busy = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def _tried(self) -> sqlite3.Connection:
        address = f"file:{quote(str(self.path.absolute()))}?mode={'ro' if self._reading else 'rwc'}"
        database = connect(address, seconds=_WITHIN, uri=True)
        try:
            if not self._reading:
                database.execute("PRAGMA journal_mode = WAL")
                database.execute("PRAGMA synchronous = FULL")
                _migrate(database)
            database.execute("SELECT count(*) FROM deliveries").fetchone()
        except sqlite3.Error:
            database.close()
            raise
        return database

    def _put_aside(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            file = self.path.with_name(f"{DELIVERIES}{suffix}")
            with suppress(OSError):
                file.replace(file.with_name(f"{file.name}.damaged"))

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise OutputError(f"{self.path}: cannot be used ({error})") from None


def _columns(place: Place) -> tuple[int, str, str]:
    return place.sequence, place.uuid, place.hash


def _migrate(database: sqlite3.Connection) -> None:
    """Make the tables, unless another consumer's thread did so meanwhile."""
    found = int(database.execute("PRAGMA user_version").fetchone()[0])
    if found > _VERSION:
        raise sqlite3.OperationalError(f"version {found}, this program knows {_VERSION}")
    if found == _VERSION:
        return
    try:
        database.executescript(_TABLES)
    except sqlite3.OperationalError:
        if database.in_transaction:
            database.rollback()
        if int(database.execute("PRAGMA user_version").fetchone()[0]) != _VERSION:
            raise
