"""What was judged so far, one row a photo, safe from kills and power cuts.

An SQLite database beside the result that it becomes: the photo's identity is its key, so that no
photo can get two rows whoever starts what anew, by whichever name, whatever was added to a folder
meanwhile; and looking whether a photo was judged takes no memory, however many there are.
"""

import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from corrosion_edge.closing import Closing
from corrosion_edge.device.archive.judge import Result
from corrosion_edge.device.archive.remote import identity
from corrosion_edge.errors import OutputError, UsageError

__all__ = ["EVERY", "Ledger"]

EVERY: Final = 1.0
"""Seconds after which results are made safe: no more is judged again after a kill."""

_LOOK: Final = 64  # results between two looks at the clock

_TABLES: Final = """
CREATE TABLE settings (said TEXT NOT NULL);
CREATE TABLE results (
    number INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    path BLOB NOT NULL,
    score REAL, label TEXT, unsure INTEGER, threshold REAL, backend TEXT,
    error TEXT, size INTEGER, modified INTEGER, again INTEGER NOT NULL
);
"""
_INSERT: Final = (
    "INSERT INTO results (key, path, score, label, unsure, threshold, backend, error, size, "
    "modified, again) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET "
    "score = excluded.score, label = excluded.label, unsure = excluded.unsure, "
    "threshold = excluded.threshold, backend = excluded.backend, error = excluded.error, "
    "size = excluded.size, modified = excluded.modified, again = excluded.again WHERE again"
)
_SELECT: Final = (
    "SELECT path, score, label, unsure, threshold, backend, error, size, modified FROM results "
    "ORDER BY number"
)


class Ledger(Closing):
    """The rows of a result that is being made, in the order in which they came.

    ``settings`` are what all rows have in common; what was begun with others is not gone on with
    (UsageError). Raises OutputError where ``path`` cannot be written or is being written by
    another process, and where it exists though there is nothing to ``resume``.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any], *, resume: bool) -> None:
        self._path = path
        there = path.exists()
        if there and not resume:
            raise OutputError(
                f"{path}: left by a run that did not come to its end; go on with --resume, or "
                "remove it"
            )
        with self._errors():
            # Commits are ours, see below; nobody else may write, so a lock is an error at once.
            self._database = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            with self._errors():
                self._begin(settings)
        except BaseException:
            self._database.close()
            raise
        self._added = 0
        self._safe_at = time.monotonic()

    def has(self, photo: str) -> bool:
        """Whether the photo has a row, other than one whose error may not last."""
        with self._errors():
            found = self._database.execute(
                "SELECT 1 FROM results WHERE key = ? AND NOT again", (_key(photo),)
            )
            return found.fetchone() is not None

    def add(self, result: Result) -> None:
        """Give a photo its row; one that has one keeps it, unless its error may not last."""
        said = result.prediction
        unsure = said.unsure if said and said.band is not None else None
        judged = (
            (said.score, said.label, unsure, said.threshold, said.backend) if said else (None,) * 5
        )
        with self._errors():
            self._database.execute(_INSERT, (_key(result.path), os.fsencode(result.path), *judged,
                                             result.error or None, result.size,
                                             result.modified, result.again))  # fmt: skip
        self._added += 1
        if self._added % _LOOK == 0 and time.monotonic() >= self._safe_at + EVERY:
            self.save()

    def save(self) -> None:
        """Make what was added safe."""
        with self._errors():
            self._database.execute("COMMIT")
            self._database.execute("BEGIN IMMEDIATE")
        self._safe_at = time.monotonic()

    def counts(self) -> tuple[int, int, int]:
        """How many photos have a row, could not be judged, and may be judged at another time."""
        with self._errors():
            return self._database.execute(
                "SELECT count(*), count(error), coalesce(sum(again), 0) FROM results"
            ).fetchone()

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Path (bytes), score, label, unsure, threshold, backend, error, size, modified."""
        with self._errors():
            yield from self._database.execute(_SELECT)

    def close(self) -> None:
        """Make safe what is not yet, and close."""
        try:
            with self._errors():
                if self._database.in_transaction:
                    self._database.execute("COMMIT")
        finally:
            self._database.close()

    def _begin(self, settings: Mapping[str, Any]) -> None:
        self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.execute("BEGIN IMMEDIATE")
        known = self._database.execute("SELECT name FROM sqlite_master").fetchall()
        if not known:
            for statement in _TABLES.split(";"):
                self._database.execute(statement)
            self._database.execute("INSERT INTO settings VALUES (?)", (json.dumps(dict(settings)),))
            self._database.execute("COMMIT")
            self._database.execute("BEGIN IMMEDIATE")
            return
        begun = json.loads(self._database.execute("SELECT said FROM settings").fetchone()[0])
        if others := [name for name, value in settings.items() if begun.get(name) != value]:
            name = others[0]
            raise UsageError(
                f"--resume: {self._path} was begun with {name} {begun.get(name)!r}, not "
                f"{settings[name]!r}; go on with that, or name another --out"
            )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            reason = str(error)
            if "locked" in reason:
                reason = "another classify is writing it"
            raise OutputError(f"{self._path}: cannot be written ({reason})") from None


def _key(photo: str) -> bytes:
    return os.fsencode(identity(photo))
