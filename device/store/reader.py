"""Reading a store, also while a watch writes to it; nothing that is stored is changed."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from corrosion_edge.closing import Closing
from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.events.summary import Summary
from corrosion_edge.device.store.chain import parsed
from corrosion_edge.device.store.correction import (
    Anchors,
    summary_by,
    times,
    wants_anchor,
)
from corrosion_edge.device.store.database import DATABASE, connect, is_damage
from corrosion_edge.device.store.event import Event, Picture, Wanted
from corrosion_edge.device.store.pictures import Pictures
from corrosion_edge.device.store.schema import version_of
from corrosion_edge.errors import StoreError, UsageError

__all__ = ["Reader"]

_SUMMARY: Final = ("camera", "boot", "frames", "unsure", "unusable", "low", "mean", "high", "area",
                   "area_high", "cells")  # fmt: skip
_PLACED: Final = ("asset", "position")


class Reader(Closing):
    """An open store; StoreError if there is none, or it is damaged or of a newer version.

    ``anchors`` may be kept from one reader of a store to the next.
    """

    def __init__(self, folder: Path, anchors: Anchors | None = None) -> None:
        self.folder, self._anchors = folder, anchors or Anchors()
        if not (folder / DATABASE).is_file():
            raise StoreError(f"{folder}: no event store ({DATABASE} is missing)")
        self._pictures = Pictures(folder / "pictures")
        self._database = _opened(folder / DATABASE)
        try:
            self._version = self._known_version()
        except BaseException:
            self.close()
            raise

    def events(self, wanted: Wanted | None = None) -> Iterator[Event]:
        """The events in the order in which they were stored."""
        wanted = wanted or Wanted()
        for event in self._rows("", ()):
            if wanted.takes(event):
                yield event

    def event(self, which: str) -> Event:
        """The event with that number, or whose uuid begins so (UsageError if not just one)."""
        if which.isdecimal() and len(which) < 19:
            found = list(self._rows("WHERE sequence = ?", (int(which),)))
        else:
            found = [e for e in self._rows("", ()) if e.fields["uuid"].startswith(which)]
        if len(found) != 1:
            count = "no event has" if not found else f"{len(found)} events have"
            raise UsageError(
                f"{self.folder}: {count} the number or uuid {which!r}; see events list"
            )
        return found[0]

    def after(self, sequence: int, most: int) -> list[Event]:
        """Up to ``most`` events that follow that number, in order."""
        return list(self._rows(
            "WHERE sequence IN "
            "(SELECT sequence FROM events WHERE sequence > ? ORDER BY sequence LIMIT ?)",
            (sequence, most),
        ))  # fmt: skip

    def before(self, sequence: int, most: int) -> list[Event]:
        """Up to ``most`` events with lower numbers, the newest first."""
        return list(self._rows(
            "WHERE sequence IN "
            "(SELECT sequence FROM events WHERE sequence < ? ORDER BY sequence DESC LIMIT ?)",
            (sequence, most),
        ))[::-1]  # fmt: skip

    def at(self, sequence: int) -> Event | None:
        """The event with that number, None where there is none."""
        return next(self._rows("WHERE sequence = ?", (sequence,)), None)

    def last(self, kind: str | None = None) -> int:
        """The number of the last event, or the last of that kind; 0 where there is none."""
        query = "SELECT ifnull(max(sequence), 0) FROM events WHERE ?1 IS NULL OR kind = ?1"
        with self._reading():
            return int(self._database.execute(query, (kind,)).fetchone()[0])

    def newest(self, count: int) -> list[Event]:
        """The newest ``count`` events, the newest first."""
        where = "WHERE sequence > (SELECT max(sequence) FROM events) - ?"
        return list(self._rows(where, (count,)))[::-1]

    def summaries(self) -> Iterator[Summary]:
        """The summaries in the order in which they were stored, at their corrected times.

        There are none in a store of version 1.
        """
        if self._version < 2:
            return
        clocks = "clock_set, monotonic_s" if self._version >= 4 else "NULL, NULL"
        placed = ", ".join(_PLACED) if self._version >= 5 else "NULL, NULL"
        columns = f"at, {clocks}, {', '.join(_SUMMARY)}, {placed}"
        query = f"SELECT {columns} FROM summaries ORDER BY rowid"
        anchors: dict[str, list[Stamp]] | None = None
        with self._reading():
            for at, is_set, monotonic, *values in self._database.execute(query):
                fields: dict[str, Any] = dict(zip((*_SUMMARY, *_PLACED), values, strict=True))
                fields["clock_set"] = None if is_set is None else bool(is_set)
                one = Summary(at=datetime.fromtimestamp(at, UTC), monotonic_s=monotonic, **fields)
                if wants_anchor(one):
                    anchors = anchors or self._anchors.of_boots(self._database)
                    one = summary_by(one, anchors)
                yield one

    def close(self) -> None:
        """See ``Closing.close``."""
        self._database.close()

    def _anchor(self, sequence: int, boot: str) -> Stamp | None:
        return self._anchors.after(self._database, boot, sequence)

    def _rows(self, where: str, values: tuple[int, ...]) -> Iterator[Event]:
        # One statement, so that a writer at work cannot come between event and pictures.
        query = (
            "SELECT sequence, body, hash, role, digest, removed FROM events "
            f"LEFT JOIN pictures USING (sequence) {where} ORDER BY sequence"
        )
        current: Event | None = None
        with self._reading():
            for sequence, body, hash, role, digest, removed in self._database.execute(
                query, values
            ):
                if current is None or current.sequence != sequence:
                    if current is not None:
                        yield current
                    fields = _fields(sequence, body)
                    found = times(fields, partial(self._anchor, sequence))
                    current = Event(sequence, fields, body, hash, {}, found)
                if role is not None:
                    path = self._pictures.path(str(current.fields["uuid"]), role)
                    current.pictures[role] = Picture(path, digest, removed or "")
        if current is not None:
            yield current

    def _known_version(self) -> int:
        with self._reading():
            try:
                return version_of(self._database)
            except StoreError as error:
                raise type(error)(f"{self.folder}: {error}") from None

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Say what is damaged, and the way out (StoreError)."""
        try:
            yield
        except sqlite3.Error as error:
            raise _damaged(self.folder / DATABASE, error) from None


def _fields(sequence: int, body: str) -> dict[str, Any]:
    """The row's fields; what is no event's text gets those that readers need, so as to be told."""
    blank = {"uuid": "", "kind": "", "at": "", "camera": "", "asset": ""}
    try:
        return blank | parsed(body)
    except (ValueError, TypeError):
        return {**blank, "sequence": sequence, "kind": "damaged"}


def _opened(path: Path) -> sqlite3.Connection:
    """Open for reading; on a read-only medium only if no writer left a log behind."""
    address = f"file:{quote(str(path.absolute()))}?mode=ro"
    try:
        return _asked(address)
    except sqlite3.OperationalError:
        pass
    except sqlite3.DatabaseError as error:
        raise _damaged(path, error) from None
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        raise StoreError(
            f"{path}: has a log that was not merged; copy the folder, and read the copy"
        )
    try:
        return _asked(f"{address}&immutable=1")
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path}: cannot be read ({error})") from None


def _damaged(path: Path, error: sqlite3.Error) -> StoreError:
    if not is_damage(error):
        return StoreError(f"{path}: cannot be read ({error})")
    return StoreError(
        f"{path}: damaged ({error}); the next watch sets it aside and begins a new chain. sqlite3 "
        "FILE .recover, on Debian 12 .dump, saves what can be read of it, see docs/events.md"
    )


def _asked(address: str) -> sqlite3.Connection:
    database = connect(address, seconds=10, uri=True)
    try:
        database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        database.close()
        raise
    return database
