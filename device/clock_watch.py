"""Notices when the clock is set, doubtful so far or not; by how much it was wrong."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from corrosion_edge.device.clock import is_believable, is_synchronised, local_time
from corrosion_edge.device.events.stamp import JUMP, Stamp

__all__ = ["ClockSet", "ClockWatch"]

_RIGHT: Final = 0.1  # seconds; less is no jump that anybody would look for
_FOLLOWS: Final = "what was stored earlier in this boot is shown corrected"
_KEEPS: Final = "though it passed for right; what was stored before keeps its times"


@dataclass(frozen=True, slots=True)
class ClockSet:
    """The clock is set from ``at`` on; ``jump`` is by how many seconds it was set forward.

    Below 0 it was set back. What jumps and slewing came to since the clock was first doubtful; or
    the one jump of a clock that was not ``doubted``, before or after.
    """

    at: Stamp
    jump: float
    doubted: bool = True

    event = "clock_set"

    @property
    def reason(self) -> str:
        """What happened, and what follows."""
        if abs(self.jump) < _RIGHT:
            return f"the clock is synchronised now, and was right; {_FOLLOWS}"
        way = "forward" if self.jump > 0 else "back"
        follows = f"; {_FOLLOWS}" if self.doubted else f", {_KEEPS}"
        return f"the clock was set {abs(self.jump):.1f} s {way}{follows}"

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
    ``now`` and ``is_set`` read the clocks and the kernel's word, ``slept`` how many seconds the
    machine slept since it was started.
    """

    def __init__(
        self,
        now: Callable[[], Stamp] = Stamp.now,
        is_set: Callable[[], bool | None] = is_synchronised,
        slept: Callable[[], float] | None = None,
    ) -> None:
        self._now, self._is_set, self._slept = now, is_set, slept or _slept
        self._doubtful: Stamp | None = None
        self._right: float | None = None
        self.news()

    def news(self) -> ClockSet | None:
        """That the clock was set since the last look, told once."""
        is_set = self._is_set()  # before the stamp, which is then of the clock that was set
        now = self._now()
        right, self._right = self._right, None
        if is_set is False or not is_believable(now.wall):
            self._doubtful = self._doubtful or now
            return None
        if not is_set:
            return None
        self._right = self._began(now)
        if self._doubtful is not None:
            before, self._doubtful = self._doubtful, None
            return ClockSet(now, now.offset - before.offset)
        if right is None or abs(self._right - right) <= JUMP:
            return None
        return self._stepped(right)

    def _stepped(self, right: float) -> ClockSet | None:
        """That a clock was set which passed for right, as a time service does at one blow.

        Looked at again: a process may be stopped between the two readings that are compared.
        """
        now = self._now()
        self._right = self._began(now)
        jump = self._right - right
        return ClockSet(now, jump, doubted=False) if abs(jump) > JUMP else None

    def _began(self, now: Stamp) -> float:
        """Seconds since 1970 at the machine's start, by the wall clock of ``now``."""
        return now.offset - self._slept()


def _slept() -> float:
    """Seconds for which the monotonic clock stood still; 0 where the system does not tell."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return 0.0 if clock is None else time.clock_gettime(clock) - time.monotonic()
