"""What is removed, and when: oldest pictures first, rows of events never."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from corrosion_edge.device.clock import is_synchronised
from corrosion_edge.device.events.event import Happening, iso
from corrosion_edge.device.events.stamp import Stamp, was_set
from corrosion_edge.device.store.entry import Entry
from corrosion_edge.device.store.event import Event
from corrosion_edge.device.store.pictures import ROOM
from corrosion_edge.device.store.store import Store
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
        if not 0 < self.days <= 36500:
            raise UsageError(f"--keep-days {self.days:g}: expected more than 0 days, up to 36500")
        if not 1 <= self.megabytes <= 1e9:
            raise UsageError(f"--keep-mb {self.megabytes:g}: expected 1 MB or more, up to 1e9")

    def apply(
        self,
        store: Store,
        now: Stamp,
        is_set: Callable[[], bool | None] = is_synchronised,
    ) -> Event | None:
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
        return _removed(store, now, kept, through, "were too old or too much")

    def make_room(self, store: Store, now: Stamp, size: int) -> Event | None:
        """On a full disk let the oldest pictures go, so that ``size`` bytes can be written.

        Their files go first, as nothing else can be written; the event that says so, None where
        there is no picture (OutputError: ``tell`` later).
        """
        gone = store.let_go_through()
        kept = [row for row in store.kept_pictures() if row[0] > gone]
        through = max(self._by_size(store, kept), _enough(kept, max(ROOM, 2 * size)))
        store.let_go(through)
        return self.tell(store, now)

    def tell(self, store: Store, now: Stamp) -> Event | None:
        """The event on what a full disk made go, and was not told yet, if any (OutputError)."""
        through = store.let_go_through()
        if not through:
            return None
        return _removed(store, now, store.kept_pictures(), through, "made room on a full disk")

    def shortage(self, store: Store) -> str:
        """Why the disk will be full before the limit is reached; empty if it won't be."""
        try:
            most = (store.size() + store.free()) / 1e6
        except OSError:
            return ""
        if self.megabytes <= most:
            return ""
        return (f"--keep-mb {self.megabytes:g}: the disk has room for a store of {most:.0f} MB; "
                "once it is full, the oldest pictures go first")  # fmt: skip

    def _by_size(self, store: Store, kept: list[tuple[int, int]]) -> int:
        """The event up to which pictures must go, 0 for none."""
        size, limit = store.size(), 1e6 * self.megabytes
        return 0 if size <= limit else _enough(kept, size - _DOWN_TO * limit)


def _enough(kept: list[tuple[int, int]], size: float) -> int:
    """The event up to which pictures have that many bytes, the last one if all have less."""
    through = 0
    for sequence, count in kept:
        if size <= 0:
            break
        size, through = size - count, sequence
    return through


def _older(store: Store, kept: list[tuple[int, int]], oldest: str) -> int:
    """The last event known to be from before that time, 0 for none.

    Where nobody knows, as the clock was not set, an event is as old as the next one that is known.
    """
    known = ((sequence, store.known_time(sequence)) for sequence, _ in kept)
    return max((sequence for sequence, at in known if at and at < oldest), default=0)


def _removed(
    store: Store, now: Stamp, kept: list[tuple[int, int]], through: int, why: str
) -> Event:
    gone = [count for sequence, count in kept if sequence <= through]
    told = {"through": through, "events": len(gone), "bytes": sum(gone)}
    reason = f"the pictures of {len(gone)} events up to number {through} {why}"
    happening = Happening(
        kind="pictures_removed", at=now, reason=reason, details=told, clock_set=was_set(now)
    )
    return store.append(Entry(happening.to_dict()), remove_through=through)
