"""Moments: the wall clock says when, the monotonic clock how long, the boot id whose clock."""

import math
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final

from corrosion_edge.device.clock import is_synchronised
from corrosion_edge.frame import Frame

__all__ = ["JUMP", "Stamp", "boot_id", "was_set"]

JUMP: Final = 1.0
"""Seconds by which two clocks may differ before it is called a jump."""

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


@lru_cache(maxsize=1)
def boot_id() -> str:
    """The kernel's id of this boot; where there is none, one of this process."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class Stamp:
    """A moment.

    ``wall`` carries a time zone and may jump, either way. ``seconds`` never runs backwards while
    a source lives: the monotonic clock, or with ``recording`` the place in the recording. Only
    within one ``boot`` can two be compared. ValueError for values out of range.
    """

    wall: datetime
    seconds: float
    boot: str
    recording: bool = False

    def __post_init__(self) -> None:
        if self.wall.tzinfo is None:
            raise ValueError("wall: expected a time with a time zone, got a naive one")
        if not math.isfinite(self.seconds):
            raise ValueError(f"seconds: expected a finite number, got {self.seconds}")

    @property
    def offset(self) -> float:
        """Seconds since 1970 at which ``seconds`` was 0, by the wall clock of this moment."""
        return self.wall.timestamp() - self.seconds

    def by(self, other: "Stamp") -> "Stamp":
        """The same moment as the wall clock of ``other`` has it, as long as both are of one boot.

        OverflowError where that is no year.
        """
        return replace(self, wall=other.wall - timedelta(seconds=other.seconds - self.seconds))

    @classmethod
    def now(cls) -> "Stamp":
        """This moment."""
        return cls(datetime.now(UTC), time.monotonic(), boot_id())

    @classmethod
    def of(cls, frame: Frame) -> "Stamp":
        """When the frame was taken; in a recording ``seconds`` is its place in it."""
        if frame.position is not None:
            return cls(frame.taken_at, frame.position, boot_id(), recording=True)
        seconds = time.monotonic() if frame.monotonic is None else frame.monotonic
        return cls(frame.taken_at, seconds, boot_id())


def was_set(at: Stamp, now: Callable[[], Stamp] = Stamp.now) -> bool | None:
    """Whether the clock was set when a stamp was taken, a while ago maybe; None if unknown.

    The kernel only tells of now. A frame that was taken before the clock was set is judged after
    it, and would pass for one of a clock that is right: its two clocks lie otherwise than now.
    """
    is_set = is_synchronised()
    if is_set and not at.recording and abs(now().offset - at.offset) > JUMP:
        return False
    return is_set
