"""The one writer of a store: an event is stored when ``append`` returns, or not at all."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from corrosion_edge import output
from corrosion_edge.device.events.summary import Summary
from corrosion_edge.device.events.taken import Taken
from corrosion_edge.device.store import aside, chain
from corrosion_edge.device.store.asking import Asking
from corrosion_edge.device.store.chain import parsed
from corrosion_edge.device.store.correction import Anchors, times
from corrosion_edge.device.store.database import DATABASE
from corrosion_edge.device.store.entry import Entry
from corrosion_edge.device.store.event import Event, Picture
from corrosion_edge.device.store.opening import connected, locked, require_ours
from corrosion_edge.device.store.pictures import Pictures
from corrosion_edge.device.store.rows import forget_summaries, insert_rows
from corrosion_edge.device.store.transaction import transaction
from corrosion_edge.errors import OutputError, StoreError

__all__ = ["DATABASE", "Entry", "Store"]


class Store(Asking):
    """An open store. Use one thread.

    Pictures are written and synced first, then the row that names them is committed (WAL with
    synchronous=FULL: a commit survives a power cut). What no row names at the next opening is set
    aside, as is a damaged database, see ``store.aside``; ``notes`` says what went wrong in that.
    """

    def __init__(self, folder: Path) -> None:
        """Open or make it (StoreError if it is in use, or cannot be written)."""
        require_ours(folder)
        output.make_folder(folder / "pictures")
        self.folder = folder
        self.pictures = Pictures(folder / "pictures")
        self._doubtful: set[tuple[str, str]] = set()
        self._sequence, self._hash = 0, chain.GENESIS
        self._anchors, self.notes = Anchors(), list[str]()
        self._lock = locked(folder)
        try:
            with self._refusing():
                self._database, place = connected(folder)
                self._read_head()
                self.swept = self._sweep(place)
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

    def let_go(self, through: int) -> None:
        """Empty the files of the pictures up to that event's (OutputError).

        That is for a full disk, where no row can be written yet. ``append`` with
        ``remove_through`` is to follow; until then ``let_go_through`` tells, after a kill too.
        """
        self.pictures.empty(self._pictures_through(through))

    def let_go_through(self) -> int:
        """The last event of those whose pictures were let go and not yet removed; 0 for none.

        They are the oldest ones, and a kill may have left the last of them half done: an empty
        file among others was made by another hand.
        """
        found = 0
        for sequence, _ in self.kept_pictures():
            sizes = self.pictures.sizes(self._names("sequence = ?", (sequence,)))
            if sizes and all(sizes):
                break
            found = sequence if sizes else found
        return found

    def summarise(self, rows: Sequence[Summary], taken: Sequence[Taken] = ()) -> None:
        """Store summaries, and the files they are of, all or none (OutputError)."""
        with self._transaction() as database:
            insert_rows(database, rows, taken)

    def forget_summaries(self, before: int) -> None:
        """Delete summaries from before that time, in seconds since 1970 (OutputError).

        One whose stamp is doubtful goes with the first one after it that is old.
        """
        with self._transaction() as database:
            forget_summaries(database, before)

    def close(self) -> None:
        """Close the file and give the lock back; a second call does nothing."""
        if database := getattr(self, "_database", None):
            database.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _read_head(self) -> None:
        last = "SELECT sequence, hash FROM events ORDER BY sequence DESC LIMIT 1"
        for row in self._asked(last):
            self._sequence, self._hash = row

    def _sweep(self, place: Path | None) -> int:
        """Delete what a crash left; set aside what is unknown, in ``place`` if there is one."""
        named = self._names("TRUE")
        # A damaged row does not tell which pictures are its own: then none is touched.
        if any(uuid is None for uuid, _ in named):
            return 0
        swept = self.pictures.sweep(self._names("removed IS NOT NULL"))
        if unnamed := self.pictures.unnamed(named):
            try:
                place = place or aside.new_place(self.folder)
                aside.put_aside(unnamed, place / "pictures")
            except OutputError as error:  # a full disk, say: they stay where they are
                self.notes.append(f"{error}; pictures that no event names stay until then")
        return swept

    def _pictures_through(self, sequence: int) -> list[tuple[str, str]]:
        return self._names("sequence <= ? AND removed IS NULL", (sequence,)) if sequence else []

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
        except OutputError as error:
            raise StoreError(
                f"{error}; put a copy of the store back, or name a new folder"
            ) from None


def _no_anchor(boot: str) -> None:
    """Nothing follows an event that was just stored."""
