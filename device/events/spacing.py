"""How far apart a camera's frames usually are, and from when on one is too late to count on."""

import heapq
from collections import deque
from typing import Final

__all__ = ["FRAMES", "Spacing"]

FRAMES: Final = 5
"""Usual spacings without evidence after which what went before is forgotten, if that is longer
than the gap of the settings: our choice, as many frames as ``--smooth`` looks at by default."""

_SEEN: Final = 8


class Spacing:
    """The usual time between two frames, from the last few.

    It is the second longest of the last eight, so that one pause makes no habit, frames that come
    far apart are known for it at the third, and short series with long pauses between count by
    the pauses. The first one that is seen is believed.
    """

    def __init__(self) -> None:
        self._seen: deque[float] = deque(maxlen=_SEEN)

    def see(self, seconds: float) -> None:
        """A frame came ``seconds`` (0 or more) after the one before."""
        self._seen.append(seconds)

    @property
    def usual(self) -> float:
        """In seconds; 0 where nothing is known yet."""
        return heapq.nlargest(2, self._seen)[-1] if self._seen else 0.0

    def limit(self, gap: float) -> float:
        """Seconds without evidence after which it is forgotten, ``gap`` or more."""
        return max(gap, FRAMES * self.usual)
