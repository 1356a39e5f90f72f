"""Whether a camera still sees, or shows one and the same picture over and over."""

import hashlib
from collections.abc import Callable

import numpy as np

from corrosion_edge.frame import Frame

__all__ = ["Stillness"]

_STRIDE = 8  # every 8th row: a sensor's noise changes some of its pixels in every picture


class Stillness:
    """How long the picture has been the very same, by a digest of its size and every 8th row.

    Where the source scaled it, that is digested: many of the picture's pixels have a share in each.

    The digest outlives a re-opening: a camera that comes back with the picture it froze at has
    not recovered.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._digest = b""
        self._since = clock()
        self.moved = True
        """Whether the picture has changed since ``restart``."""

    def see(self, frame: Frame) -> None:
        """Take the next picture into account."""
        digest = _digest(frame)
        if digest != self._digest:
            self._digest, self._since, self.moved = digest, self._clock(), True

    def seconds(self) -> float:
        """How long the newest picture has been the same."""
        return self._clock() - self._since

    def restart(self) -> None:
        """Count from now, and wait for another picture than the last."""
        self._since, self.moved = self._clock(), False


def _digest(frame: Frame) -> bytes:
    rows = frame.scaled[0] if frame.scaled else frame.pixels[::_STRIDE]
    return hashlib.blake2b(np.ascontiguousarray(rows).data, key=str(frame.size).encode()).digest()
