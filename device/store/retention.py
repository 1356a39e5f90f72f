"""What is removed, and when: oldest pictures first, rows of events never."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from corrosion_edge.device.clock import is_synchronised
from corrosion_edge.device.events.event import Happening, iso
from corrosion_edge.device.events.stamp import Stamp, was_set
from corrosion_edge.device.store.last_good import FOLDER
from corrosion_edge.device.store.store import DATABASE, Entry, Store, Stored
from corrosion_edge.errors import UsageError

__all__ = ["Retention"]

_DOWN_TO = 0.9  # of the limit, so that it is not reached again with the next picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Pictures and summaries are kept for ``days``, and the store below ``megabytes`` (10^6).

    UsageError for values out of range.
    """

    days: float = 365.0
    megabytes: float = 2000.0

    def __post_init__(self) -> None:
        if not (0 < self.days <= 36500 and 1 <= self.megabytes <= 1e9):
            raise UsageError(
                "retention: expected more than 0 days and 1 MB or more, "
                f"got {self.days:g} days and {self.megabytes:g} MB"
            )

    def apply(
        self,
        store: Store,
        now: Stamp,
        is_set: Callable[[], bool | None] = is_synchronised,
    ) -> Stored | None:
        """Remove what is too old or too much; the event that says so, if any (OutputError).

        A wall clock that is known not to be set removes nothing by age.
        """
        oldest = now.wall - timedelta(days=self.days)
        by_age = is_set() is not False
        if by_age:
            store.forget_summaries(int(oldest.timestamp()))
        kept = store.kept_pictures()
        old = _older(store, kept, iso(oldest)) if by_age else 0
        through = max(self._by_size(store, kept), old)
        if not through:
            return None
        gone = [row for row in kept if row[0] <= through]
        return store.append(_entry(now, through, gone), remove_through=through)

    def _by_size(self, store: Store, kept: list[tuple[int, int]]) -> int:
        """The event up to which pictures must go, 0 for none."""
        files = [store.folder / DATABASE, store.folder / f"{DATABASE}-wal"]
        files += (store.folder / FOLDER).glob("*")  # counted, and never removed here
        size = sum(map(_bytes, files))
        size += sum(row[1] for row in kept)
        limit, through = 1e6 * self.megabytes, 0
        if size <= limit:
            return 0
        for sequence, count in kept:
            if size <= _DOWN_TO * limit:
                break
            size, through = size - count, sequence
        return through


def _bytes(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # there is none, or no longer
        return 0


def _older(store: Store, kept: list[tuple[int, int]], oldest: str) -> int:
    """The last event known to be from before that time, 0 for none.

    Where nobody knows, as the clock was not set, an event is as old as the next one that is known.
    """
    known = ((sequence, store.known_time(sequence)) for sequence, _ in kept)
    return max((sequence for sequence, at in known if at and at < oldest), default=0)


def _entry(now: Stamp, through: int, gone: list[tuple[int, int]]) -> Entry:
    told = {"through": through, "events": len(gone), "bytes": sum(row[1] for row in gone)}
    reason = f"the pictures of {len(gone)} events up to number {through} were too old or too much"
    happening = Happening(
        kind="pictures_removed", at=now, reason=reason, details=told, clock_set=was_set(now)
    )
    return Entry(happening.to_dict())
