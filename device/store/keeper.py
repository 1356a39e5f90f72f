"""Keeps events while the store cannot take them, and says so; gathers summaries for the SD card."""

import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, TypeVar

from corrosion_edge.device.events.event import Happening
from corrosion_edge.device.events.recorder import Log
from corrosion_edge.device.events.stamp import Stamp, was_set
from corrosion_edge.device.events.summary import Summary
from corrosion_edge.device.events.taken import Taken
from corrosion_edge.device.lines import emit, printable
from corrosion_edge.device.store.aside import KIND, reason_of, told_of
from corrosion_edge.device.store.entry import Entry, ended, without_pictures
from corrosion_edge.device.store.event import Event
from corrosion_edge.device.store.pictures import jpegs
from corrosion_edge.device.store.retention import Retention
from corrosion_edge.device.store.store import Store
from corrosion_edge.errors import OutputError

__all__ = ["BATCH", "WAITING", "Keeper"]

T = TypeVar("T")

BATCH: Final = 600.0
"""Seconds over which summaries are gathered: a kill or power cut loses at most those."""

WAITING: Final = 500
"""Events that wait in memory at most; the first ones are kept, later ones are counted as lost."""

WAITING_PICTURES: Final = 20
"""Of those, how many keep their pictures (about 0.3 MB each)."""

_HOUR = 3600.0
_SLACK = 2**18  # bytes beside pictures with which a disk still counts as full
_SUMMARIES = 3000


class Keeper(Log):
    """A log before a store.

    ``told`` is called with each event that is stored, after it is. A full disk costs the oldest
    pictures first, then the event's own, then events wait in memory and are tried again with the
    next event or summary; the event ``store_recovered`` says how many waited, and how many were
    lost. ``broke_off``: the watch before this one left no end.
    """

    def __init__(
        self,
        store: Store,
        retention: Retention | None = None,
        *,
        told: Callable[[Event], None] = lambda stored: None,
        now: Callable[[], Stamp] = Stamp.now,
        warn: Callable[[str], None] | None = None,
    ) -> None:
        self._store = store
        self._retention = retention or Retention()
        self._told = told
        self._now = now
        self._warn = warn or (lambda line: emit(sys.stderr, f"warning: {printable(line)}"))
        self._waiting: deque[Entry] = deque()
        self._summaries: deque[Summary] = deque(maxlen=_SUMMARIES)
        self._taken: list[Taken] = []
        self._full_since: float | None = None
        self._most = self._lost = self._needed = 0
        self._flushed = now().seconds
        self._tidied = float("-inf")
        self._closed = False
        self.broke_off = store.broke_off
        for note in store.notes:
            self._warn(note)
        self._tell_what_went()
        self._tell_what_was_set_aside()
        self._finish_what_broke_off()
        self._tidy()

    def append(
        self, happening: Happening, summary: Summary | None = None, taken: Sequence[Taken] = ()
    ) -> None:
        """See ``Log.append``; a store that cannot be written raises nothing."""
        if summary:
            self._summaries.append(summary)
        self._taken += taken
        self._put(Entry(happening.to_dict(), jpegs(happening.scene)))

    def summarise(self, summary: Summary, taken: Sequence[Taken] = ()) -> None:
        """See ``Log.summarise``."""
        self._summaries.append(summary)
        self._taken += taken
        self._drain()
        if self._now().seconds - self._flushed >= BATCH:
            self._flush()
            self._tidy()

    def close(self) -> None:
        """Store what waits, as far as that is possible, and close the store."""
        if self._closed:
            return
        self._closed = True
        self._drain()
        self._flush()
        if self._waiting:
            self._warn(f"{self._store.folder}: {len(self._waiting)} events could not be stored")
        self._store.close()

    def _put(self, entry: Entry) -> None:
        if len(self._waiting) >= WAITING:
            self._lost += 1
        else:
            keeps = len(self._waiting) < WAITING_PICTURES
            self._waiting.append(entry if keeps else without_pictures(entry))
        self._drain()

    def _drain(self) -> None:
        if self._full_since is not None:
            self._tell_what_went()
        while self._waiting:
            stored = self._tried(self._waiting[0])
            if stored is None:
                return
            self._waiting.popleft()
            self._told(stored)
        self._recovered()

    def _tried(self, entry: Entry) -> Event | None:
        """The event as stored, with or else without its pictures; None if neither worked."""
        size = sum(map(len, entry.pictures.values()))
        try:
            return self._with_room(lambda: self._stored(entry), size)
        except OSError as error:
            self._needed = 2 * size or self._needed
            self._failed(error)
        if not entry.pictures:
            return None
        try:
            return self._stored(without_pictures(entry))
        except OSError:
            return None

    def _stored(self, entry: Entry) -> Event:
        """Store it, and with the last one that waits the files that led to it (OutputError)."""
        if not self._taken or len(self._waiting) > 1:
            return self._store.append(entry)
        stored = self._store.append(entry, rows=list(self._summaries), taken=self._taken)
        self._summaries.clear()
        self._taken = []
        return stored

    def _with_room(self, write: Callable[[], T], size: int = 0) -> T:
        """What it returns; if the disk is full, once the oldest pictures made room (OSError)."""
        try:
            return write()
        except OSError:
            if self._store.has_room(size + _SLACK) or not self._made_room(size):
                raise
        return write()

    def _made_room(self, size: int) -> bool:
        try:
            stored = self._retention.make_room(self._store, self._now(), size)
        except OSError:
            return False
        return self._tell(stored)

    def _tell_what_went(self) -> None:
        """What made room on a full disk, by this watch or by one that was killed."""
        with suppress(OSError):
            self._tell(self._retention.tell(self._store, self._now()))

    def _tell(self, stored: Event | None) -> bool:
        if stored is None:
            return False
        self._warn(f"{self._store.folder}: {stored.fields['reason']}")
        self._told(stored)
        return True

    def _failed(self, error: OSError) -> None:
        self._most = max(self._most, len(self._waiting))
        if self._full_since is None:
            self._full_since = self._now().seconds
            self._warn(
                f"{error}; events wait in memory, up to {WAITING}; what was stored stays stored"
            )

    def _recovered(self) -> None:
        if self._full_since is None or not self._store.has_room(self._needed):
            return
        seconds = round(self._now().seconds - self._full_since, 3)
        told = {"seconds": seconds, "waited": self._most, "lost": self._lost}
        reason = f"the store could not be written for {seconds:g} s: {self._lost} events were lost"
        now = self._now()
        happening = Happening(kind="store_recovered", at=now, reason=reason, details=told,
                              clock_set=was_set(now, self._now))  # fmt: skip
        try:
            stored = self._store.append(Entry(happening.to_dict()))
        except OSError:
            return
        self._full_since, self._most, self._lost, self._needed = None, 0, 0, 0
        self._warn(f"{self._store.folder}: {reason}")
        self._told(stored)

    def _flush(self) -> None:
        # A file is taken once what it led to is stored: not while an event waits.
        taken = [] if self._waiting else self._taken
        try:
            self._with_room(lambda: self._store.summarise(list(self._summaries), taken))
        except OutputError as error:
            self._failed(error)
            return
        self._summaries.clear()
        self._taken = self._taken[len(taken) :]
        self._flushed = self._now().seconds

    def _tidy(self) -> None:
        now = self._now()
        if now.seconds - self._tidied < _HOUR:
            return
        self._tidied = now.seconds
        try:
            stored = self._with_room(lambda: self._retention.apply(self._store, now))
        except OSError as error:
            self._failed(error)
            return
        if stored:
            self._told(stored)

    def _tell_what_was_set_aside(self) -> None:
        for place in self._store.not_told():
            told, now = told_of(place), self._now()
            reason = reason_of(told)
            self._warn(f"{self._store.folder}: {reason}")
            self._put(Entry(Happening(kind=KIND, at=now, reason=reason, details=told,
                                      clock_set=was_set(now, self._now)).to_dict()))  # fmt: skip

    def _finish_what_broke_off(self) -> None:
        for began in self._store.unfinished():
            now = self._now()
            self._put(ended(began.fields, now, was_set(now, self._now)))
