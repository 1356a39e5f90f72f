"""What is asked of a camera; what it then delivers is another matter."""

from dataclasses import dataclass
from typing import Final

__all__ = ["LARGEST_SIDE", "NOTHING", "Wish"]

LARGEST_SIDE: Final = 9400
"""Pixels of a side that may be asked for: the largest camera of a Raspberry Pi has 9152, and a
square of these is no more than ``image.MAX_PIXELS``."""

_SAME: Final = 0.01  # share by which a granted rate may differ from the wish


@dataclass(frozen=True, slots=True)
class Wish:
    """The ``resolution`` (width, height in pixels) and the ``rate`` in frames a second, or None.

    ``scaled`` are the sizes (width, height) in which the whole picture is wanted beside it, for a
    source that scales well and at less cost than can be done afterwards.
    """

    resolution: tuple[int, int] | None = None
    rate: float | None = None
    scaled: tuple[tuple[int, int], ...] = ()

    def is_kept(self, period: float) -> bool:
        """Whether a frame each ``period`` seconds is the rate asked for, to one hundredth."""
        return self.rate is not None and abs(period * self.rate - 1) < _SAME


NOTHING = Wish()
