"""Notices when the clock, doubtful so far, is set; by how much it was wrong."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from corrosion_edge.device.clock import is_believable, is_synchronised, local_time
from corrosion_edge.device.events.stamp import Stamp

__all__ = ["ClockSet", "ClockWatch"]

_RIGHT: Final = 0.1  # seconds; less is no jump that anybody would look for
_FOLLOWS: Final = "what was stored earlier in this boot is shown corrected"


@dataclass(frozen=True, slots=True)
class ClockSet:
    """The clock is set from ``at`` on; ``jump`` is by how many seconds it was set forward.

    Below 0 it was set back. What jumps and slewing came to since the clock was first doubtful.
    """

    at: Stamp
    jump: float

    event = "clock_set"

    @property
    def reason(self) -> str:
        """What happened, and what follows."""
        if abs(self.jump) < _RIGHT:
            return f"the clock is synchronised now, and was right; {_FOLLOWS}"
        way = "forward" if self.jump > 0 else "back"
        return f"the clock was set {abs(self.jump):.1f} s {way}; {_FOLLOWS}"

    @property
    def details(self) -> dict[str, float]:
        """What the event tells further: jump_s, to the millisecond."""
        return {"jump_s": round(self.jump, 3)}

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: event, time, and the details."""
        return {"event": self.event, "time": local_time(self.at.wall), **self.details}

    def __str__(self) -> str:
        return f"{local_time(self.at.wall)}  {self.reason}"


class ClockWatch:
    """Looks at the clock when it is asked, which takes some microseconds.

    A clock is doubtful that the kernel says is not synchronised, or whose year cannot be true.
    ``now`` and ``is_set`` read the clocks and the kernel's word.
    """

    def __init__(
        self,
        now: Callable[[], Stamp] = Stamp.now,
        is_set: Callable[[], bool | None] = is_synchronised,
    ) -> None:
        self._now, self._is_set = now, is_set
        self._doubtful: Stamp | None = None
        self.news()

    def news(self) -> ClockSet | None:
        """That the clock was set since the last look, told once."""
        is_set = self._is_set()  # before the stamp, which is then of the clock that was set
        now = self._now()
        if is_set is False or not is_believable(now.wall):
            self._doubtful = self._doubtful or now
            return None
        if not is_set or self._doubtful is None:
            return None
        before, self._doubtful = self._doubtful, None
        return ClockSet(now, now.offset - before.offset)
