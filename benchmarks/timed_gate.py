"""The quality gate, with the time that it took."""

import time

import numpy as np
import numpy.typing as npt

from corrosion_edge.device.capture.quality import Gate, Quality

__all__ = ["TimedGate"]


class TimedGate(Gate):
    """Checks as the ``gate`` does; ``taken_ns`` is how long the last check took."""

    def __init__(self, gate: Gate) -> None:
        self._gate, self.taken_ns = gate, 0

    def check(self, small: npt.NDArray[np.uint8], size: tuple[int, int]) -> Quality:
        """See ``Gate.check``."""
        start = time.monotonic_ns()
        found = self._gate.check(small, size)
        self.taken_ns = time.monotonic_ns() - start
        return found
