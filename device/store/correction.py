"""When things happened that were stamped before the clock was set. Here alone it is computed.

Rows are never changed. The monotonic clock runs on while the wall clock is set, so an event tells
how long before a later one of its boot it was: its time is ``anchor.wall - (anchor.monotonic_s -
event.monotonic_s)``. The anchor is the earliest event after it in the chain, of the same boot,
that was stamped by a clock that was set. Later anchors are not looked at: what was told once, to
a broker say, stays true.
"""

import math
import sqlite3
import threading
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from corrosion_edge.device.clock import EARLIEST, is_believable
from corrosion_edge.device.events.event import iso
from corrosion_edge.device.events.stamp import JUMP, Stamp
from corrosion_edge.device.events.summary import Summary
from corrosion_edge.device.store.chain import parsed

__all__ = ["AS_STAMPED", "Anchors", "Times", "known_time", "summary_by", "times", "wants_anchor"]


@dataclass(frozen=True, slots=True)
class Times:
    """Corrected times of an event, in UTC as they are stored; None for what is not corrected."""

    at: str | None = None
    start: str | None = None
    end: str | None = None

    def to_dict(self) -> dict[str, str | None]:
        """The fields as programs are told them."""
        return {"corrected_at": self.at, "corrected_start": self.start, "corrected_end": self.end}


AS_STAMPED: Final = Times()
"""Nothing is corrected."""

_KIND: Final = "clock_set"
_EARLIEST: Final = iso(datetime.fromtimestamp(EARLIEST, UTC))


@dataclass(frozen=True, slots=True)
class _Reading:
    """What an event says of the clocks; ``is_set`` makes an anchor, ``doubtful`` wants one."""

    at: Stamp
    is_set: bool
    doubtful: bool

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> "_Reading | None":
        """None where the place is that in a recording, or nobody can tell: rows of versions that
        did not say so, damaged ones."""
        if fields.get("recording") is not False:
            return None
        try:
            wall = datetime.fromisoformat(fields["at"])
            at = Stamp(wall, float(fields["monotonic_s"]), str(fields["boot"]))
        except (KeyError, TypeError, ValueError, OverflowError):
            return None
        said, believable = fields.get("clock_set"), is_believable(at.wall)
        return cls(at, said is True and believable, said is False or not believable)


class Anchors:
    """Finds anchors in a chain; what it has seen it does not read again.

    Rows are read once and in order, only from the first event on that wants an anchor and only as
    far as is needed, so that a chain without such an event costs nothing, and one of n events n
    looks at most. May be kept for several readers of one store, in several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._restart(2**62)

    def after(self, database: sqlite3.Connection, boot: str, sequence: int) -> Stamp | None:
        """The anchor of a doubtful event of that boot and number (sqlite3.Error)."""
        with self._lock:
            if sequence < self._first:
                self._restart(sequence)
            found = self._known(boot, sequence)
            return found or self._read(database, lambda: self._known(boot, sequence))

    def of_boots(self, database: sqlite3.Connection) -> dict[str, list[Stamp]]:
        """Every anchor that ended a doubt, by boot and moment (sqlite3.Error)."""
        with self._lock:
            if self._first > 0:
                self._restart(0)
            self._read(database, lambda: None)
            return {boot: sorted((at for _, at in each), key=_seconds)
                    for boot, each in self._kept.items()}  # fmt: skip

    def _restart(self, first: int) -> None:
        self._first, self._last = first, first - 1
        self._kept: defaultdict[str, list[tuple[int, Stamp]]] = defaultdict(list)
        self._wanting: set[str] = set()

    def _known(self, boot: str, sequence: int) -> Stamp | None:
        kept = self._kept.get(boot, [])
        place = bisect_right(kept, sequence, key=lambda each: each[0])
        return kept[place][1] if place < len(kept) else None

    def _read(
        self, database: sqlite3.Connection, found: Callable[[], Stamp | None]
    ) -> Stamp | None:
        """Read on until something is found, or to the end."""
        query = "SELECT sequence, body FROM events WHERE sequence > ? ORDER BY sequence"
        for sequence, body in database.execute(query, (self._last,)):
            self._last = sequence
            if self._keeps(sequence, body) and (anchor := found()):
                return anchor
        return None

    def _keeps(self, sequence: int, body: str) -> bool:
        """Take in a row; whether it is an anchor that may be wanted."""
        try:
            fields = parsed(body)
        except (ValueError, TypeError):
            return False
        reading = _Reading.of(fields)
        if reading is None:
            return False
        boot = reading.at.boot
        if reading.doubtful:
            self._wanting.add(boot)
        if not reading.is_set or (boot not in self._wanting and fields.get("kind") != _KIND):
            return False
        self._wanting.discard(boot)
        self._kept[boot].append((sequence, reading.at))
        return True


def times(fields: Mapping[str, Any], after: Callable[[str], Stamp | None]) -> Times:
    """The corrected times of an event with these fields; ``after`` finds the anchor in a boot.

    Of an event that was stamped rightly but began before the clock was set, the beginning is
    corrected by its own stamp.
    """
    if (
        fields.get("clock_set") is True
        and fields.get("start") is None
        and (str(fields.get("at")) >= _EARLIEST)
    ):
        return AS_STAMPED  # as nearly all are: nothing has to be read of it
    reading = _Reading.of(fields)
    if reading is None or not (reading.doubtful or reading.is_set):
        return AS_STAMPED
    anchor = after(reading.at.boot) if reading.doubtful else reading.at
    if anchor is None:
        return AS_STAMPED
    try:
        at = iso(reading.at.by(anchor).wall) if reading.doubtful else None
        return Times(at, *(_corrected(fields, name, reading, anchor) for name in ("start", "end")))
    except (ValueError, TypeError, OverflowError):
        return AS_STAMPED


def _corrected(
    fields: Mapping[str, Any], name: str, reading: _Reading, anchor: Stamp
) -> str | None:
    """A further time of the event; of one that was stamped rightly only what is far off."""
    stamped, seconds = fields.get(name), fields.get(f"{name}_monotonic_s")
    if stamped is None or seconds is None:
        return None
    right = replace(reading.at, seconds=float(seconds)).by(anchor).wall
    off = abs((datetime.fromisoformat(stamped) - right).total_seconds())
    return iso(right) if reading.doubtful or off > JUMP else None


def known_time(fields: Mapping[str, Any], found: Times) -> str:
    """The event's time; empty if it is doubtful and nothing corrects it."""
    at = str(fields.get("at") or "")
    if found.at or not at:
        return found.at or ""
    return "" if fields.get("clock_set") is False or not _is_believable(at) else at


def _is_believable(text: str) -> bool:
    try:
        return is_believable(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return False


def wants_anchor(summary: Summary) -> bool:
    """Whether the summary's stamp is doubtful, and can be corrected once there is an anchor."""
    if summary.monotonic_s is None or not math.isfinite(summary.monotonic_s):
        return False
    return summary.clock_set is False or not is_believable(summary.at)


def summary_by(summary: Summary, anchors: Mapping[str, Sequence[Stamp]]) -> Summary:
    """A summary that ``wants_anchor`` at its corrected time, or as it is without an anchor.

    ``anchors`` are those of ``Anchors.of_boots``.

    It has no place in the chain, so its anchor is the earliest after it by the monotonic clock.
    """
    assert summary.monotonic_s is not None
    at = Stamp(summary.at, summary.monotonic_s, summary.boot)
    found = anchors.get(summary.boot, ())
    place = bisect_left(found, at.seconds, key=_seconds)
    if place == len(found):
        return summary
    return replace(summary, at=at.by(found[place]).wall, stamped=summary.at)


def _seconds(at: Stamp) -> float:
    return at.seconds
