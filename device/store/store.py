"""The one writer of a store: an event is stored when ``append`` returns, or not at all."""

import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from corrosion_edge import output
from corrosion_edge.closing import Closing
from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.events.summary import Summary
from corrosion_edge.device.events.taken import Taken
from corrosion_edge.device.store import chain
from corrosion_edge.device.store.chain import parsed
from corrosion_edge.device.store.correction import Anchors, known_time, times
from corrosion_edge.device.store.event import Event, Picture
from corrosion_edge.device.store.opening import connected, locked
from corrosion_edge.device.store.pictures import Pictures
from corrosion_edge.device.store.rows import forget_summaries, insert_rows
from corrosion_edge.device.store.schema import migrate
from corrosion_edge.device.store.transaction import transaction
from corrosion_edge.errors import OutputError, StoreError

__all__ = ["DATABASE", "Entry", "Store"]

DATABASE: Final = "events.sqlite"
"""The database's name in the store's folder."""

_BODY: Final = "SELECT body FROM events WHERE sequence = ?"


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be stored: the event's fields with its ``uuid``, and its JPEGs by role."""

    fields: Mapping[str, Any]
    pictures: Mapping[str, bytes] = field(default_factory=dict)


class Store(Closing):
    """An open store. Use one thread.

    Pictures are written and synced first, then the row that names them is committed (WAL with
    synchronous=FULL: a commit survives a power cut). What a crash leaves between the two is swept
    at the next opening.
    """

    def __init__(self, folder: Path) -> None:
        """Open or make it (StoreError if it is in use, damaged, or cannot be written)."""
        output.make_folder(folder / "pictures")
        self.folder = folder
        self.pictures = Pictures(folder / "pictures")
        self._doubtful: set[tuple[str, str]] = set()
        self._sequence, self._hash = 0, chain.GENESIS
        self._anchors = Anchors()
        self._lock = locked(folder)
        try:
            self._database = connected(folder / DATABASE)
            with self._refusing():
                migrate(self._database)
                self._read_head()
                named = self._names("removed IS NULL", ())
                # A damaged row does not tell which pictures are its own: then none is deleted.
                damaged = any(uuid is None for uuid, _ in named)
                self.swept = 0 if damaged else self.pictures.sweep(named)
        except BaseException:
            self.close()
            raise

    @property
    def head(self) -> tuple[int, str]:
        """Sequence number and hash of the last event; 0 and ``GENESIS`` in an empty store."""
        return self._sequence, self._hash

    def append(
        self,
        entry: Entry,
        *,
        remove_through: int = 0,
        rows: Sequence[Summary] = (),
        taken: Sequence[Taken] = (),
    ) -> Event:
        """Store an event durably and give it its number (OutputError if that failed).

        With ``remove_through`` the pictures up to that event's are marked removed with it, in one
        transaction, and then deleted. ``rows`` and ``taken`` files are stored in it too.
        """
        sequence = self._sequence + 1
        content = {**entry.fields, "sequence": sequence}
        uuid, body = content["uuid"], chain.canonical(content)
        digests = {role: chain.digest(data) for role, data in entry.pictures.items()}
        linked = chain.link(self._hash, body, digests)
        self.pictures.put(uuid, entry.pictures)
        old = self._pictures_through(remove_through)
        names = {(uuid, role) for role in digests}
        # After a failed commit the row may be there all the same when the file is next opened.
        self._doubtful |= names
        with self._transaction() as database:
            database.execute(
                "INSERT INTO events (sequence, body, hash) VALUES (?, ?, ?)",
                (sequence, body, linked),
            )
            database.executemany(
                "INSERT INTO pictures (sequence, role, digest, bytes) VALUES (?, ?, ?, ?)",
                [(sequence, r, digests[r], len(data)) for r, data in entry.pictures.items()],
            )
            database.execute(
                "UPDATE pictures SET removed = ? WHERE sequence <= ? AND removed IS NULL",
                (content["at"], remove_through),
            )
            insert_rows(database, rows, taken)
        self._sequence, self._hash = sequence, linked
        self.pictures.remove([*old, *(self._doubtful - names)])
        self._doubtful.clear()
        stored = parsed(body)
        made = {r: Picture(self.pictures.path(uuid, r), digests[r]) for r in entry.pictures}
        return Event(sequence, stored, body, linked, made, times(stored, _no_anchor))

    def summarise(self, rows: Sequence[Summary], taken: Sequence[Taken] = ()) -> None:
        """Store summaries, and the files they are of, all or none (OutputError)."""
        with self._transaction() as database:
            insert_rows(database, rows, taken)

    def taken(self) -> list[Taken]:
        """The files of followed folders that had their turn (OutputError)."""
        return [Taken(*row) for row in self._asked("SELECT path, size, changed_ns FROM taken")]

    def forget_summaries(self, before: int) -> None:
        """Delete summaries from before that time, in seconds since 1970 (OutputError).

        One whose stamp is doubtful goes with the first one after it that is old.
        """
        with self._transaction() as database:
            forget_summaries(database, before)

    def unfinished(self) -> list[Event]:
        """Corrosion that began and has no end: the process was killed."""
        rows = self._asked(
            "SELECT max(sequence), body, hash, kind FROM events WHERE kind IN "
            "('corrosion_began', 'corrosion_ended') GROUP BY camera ORDER BY 1"
        )
        found = [row for row in rows if row[3] == "corrosion_began"]
        return [Event(number, parsed(body), body, linked, {}) for number, body, linked, _ in found]

    @property
    def broke_off(self) -> bool:
        """Whether there are events, and the last is not that a watch stopped."""
        last = self._asked("SELECT kind FROM events ORDER BY sequence DESC LIMIT 1")
        return last not in ([], [("stopped",)])

    def kept_pictures(self) -> list[tuple[int, int]]:
        """Sequence and bytes of the events whose pictures are kept, oldest first."""
        return self._asked(
            "SELECT sequence, sum(bytes) FROM pictures WHERE removed IS NULL "
            "GROUP BY sequence ORDER BY sequence"
        )

    def known_time(self, sequence: int) -> str:
        """When that event was, corrected if need be; empty where nobody knows (OutputError)."""
        try:
            fields = parsed(self._asked(_BODY, (sequence,))[0][0])
            return known_time(fields, times(fields, partial(self._anchor, sequence)))
        except (ValueError, TypeError):
            return ""
        except sqlite3.Error as error:
            raise OutputError(f"{self.folder}: cannot be read ({error})") from None

    def has_room(self, size: int) -> bool:
        """Whether the file system has that many bytes free; False if it can't be asked."""
        try:
            return shutil.disk_usage(self.folder).free >= size
        except OSError:
            return False

    def close(self) -> None:
        """Close the file and give the lock back; a second call does nothing."""
        if database := getattr(self, "_database", None):
            database.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _anchor(self, sequence: int, boot: str) -> Stamp | None:
        return self._anchors.after(self._database, boot, sequence)

    def _read_head(self) -> None:
        last = "SELECT sequence, hash FROM events ORDER BY sequence DESC LIMIT 1"
        if row := self._database.execute(last).fetchone():
            self._sequence, self._hash = row

    def _pictures_through(self, sequence: int) -> list[tuple[str, str]]:
        return self._names("sequence <= ? AND removed IS NULL", (sequence,)) if sequence else []

    def _names(self, where: str, values: tuple[int, ...]) -> list[tuple[str, str]]:
        return self._asked(
            f"SELECT uuid, role FROM pictures JOIN events USING (sequence) WHERE {where}",
            values,
        )

    def _asked(self, query: str, values: tuple[int, ...] = ()) -> list[Any]:
        """All rows (OutputError if they cannot be read)."""
        try:
            return list(self._database.execute(query, values))
        except sqlite3.Error as error:
            raise OutputError(f"{self.folder}: cannot be read ({error})") from None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All of the block, or nothing of it (OutputError)."""
        try:
            with transaction(self._database) as database:
                yield database
        except sqlite3.Error as error:
            raise OutputError(f"{self.folder}: cannot be written ({error})") from None

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"{self.folder}: the store cannot be opened ({error}); put a copy of it back, "
                "or name a new folder"
            ) from None
        except (StoreError, OutputError) as error:
            raise StoreError(f"{self.folder}: {error}") from None


def _no_anchor(boot: str) -> None:
    """Nothing follows an event that was just stored."""
