"""Scores over the last hours and latencies since the start, in memory that does not grow."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

__all__ = ["BOUNDS", "HOURS", "STEP", "Latencies", "Scores", "Stretch"]

STEP: Final = 5.0
"""Seconds that one cell stands for."""

HOURS: Final = 6
"""Hours that are kept: 4320 cells of 40 bytes for a camera."""

_CELLS: Final = int(HOURS * 3600 / STEP)
_KEPT: Final = 512  # latencies, for the percentiles

BOUNDS: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Upper bounds of the latency histogram in seconds: from a desk machine to tiles on a Pi 3."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Scores of one stretch of time; ``at`` is its start on the monotonic clock in seconds."""

    at: float
    low: float
    mean: float
    high: float


class Scores:
    """A ring of cells by time: a cell that comes round again forgets what was in it."""

    def __init__(self) -> None:
        self._number = np.full(_CELLS, -1, np.int64)
        self._low = np.zeros(_CELLS)
        self._sum = np.zeros(_CELLS)
        self._high = np.zeros(_CELLS)
        self._count = np.zeros(_CELLS, np.int64)

    def add(self, now: float, score: float) -> None:
        """Add a score, in [0, 1], of this moment on the monotonic clock."""
        number = int(now // STEP)
        slot = number % _CELLS
        if self._number[slot] != number:
            self._number[slot] = number
            self._low[slot], self._sum[slot], self._high[slot], self._count[slot] = 1, 0, 0, 0
        self._low[slot] = min(self._low[slot], score)
        self._high[slot] = max(self._high[slot], score)
        self._sum[slot] += score
        self._count[slot] += 1

    def since(self, now: float, seconds: float, most: int = 360) -> list[Stretch]:
        """The stretches of the last ``seconds``, no more than ``most``; empty ones are left out."""
        newest = int(now // STEP)
        cells = min(_CELLS, max(1, int(seconds / STEP)))
        wide = -(-cells // most)
        numbers = np.arange(newest - cells + 1, newest + 1)
        slots = numbers % _CELLS
        filled = self._number[slots] == numbers
        numbers, slots = numbers[filled], slots[filled]
        if not len(numbers):
            return []
        starts = np.flatnonzero(np.diff(numbers // wide, prepend=-1))
        low = np.minimum.reduceat(self._low[slots], starts)
        high = np.maximum.reduceat(self._high[slots], starts)
        mean = (np.add.reduceat(self._sum[slots], starts)
                / np.add.reduceat(self._count[slots], starts))  # fmt: skip
        at = numbers[starts] // wide * wide * STEP
        rows = zip(at.tolist(), low.tolist(), mean.tolist(), high.tolist(), strict=True)
        return [Stretch(*row) for row in rows]

    @property
    def nbytes(self) -> int:
        """Bytes of all cells."""
        rings = (self._number, self._low, self._sum, self._high, self._count)
        return sum(ring.nbytes for ring in rings)


class Latencies:
    """A histogram since the start, and the newest ones for percentiles."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self._ring = np.zeros(_KEPT)
        self.count = 0
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Add one, 0 or more seconds."""
        self._ring[self.count % _KEPT] = seconds
        self._counts[next((i for i, b in enumerate(BOUNDS) if seconds <= b), len(BOUNDS))] += 1
        self.count += 1
        self.total += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """Upper bound and how many were no longer, as Prometheus wants them, ending with +Inf."""
        sums = np.cumsum(self._counts).tolist()
        names = [*map(str, BOUNDS), "+Inf"]
        return [(name, float(sum)) for name, sum in zip(names, sums, strict=True)]

    def percentiles(self, which: Sequence[float]) -> list[float] | None:
        """Percentiles of the newest ``_KEPT``, in seconds; None before the first."""
        if not self.count:
            return None
        values = np.percentile(self._ring[: min(self.count, _KEPT)], list(which))
        return [float(value) for value in values]
