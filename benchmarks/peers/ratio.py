"""How many times as long as another, with an interval, from rounds in which both took turns.

Unlike ``benchmarks.ratios``, which compares runs made apart, each round gives a ratio of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from statistics import median
from typing import Final

__all__ = ["LEAST", "LEVEL", "Ratio", "ratio"]

LEVEL: Final = 0.95

LEAST: Final = 6
"""Rounds from which there is an interval of ``LEVEL``: even the whole range of five misses the
median of all rounds that could be in 6 % of the cases."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """The median of the ratios of ``count`` rounds, and ``low`` to ``high`` around it.

    That is an interval of ``LEVEL`` from ``LEAST`` rounds on, with fewer the range of all of them.
    """

    value: float
    low: float
    high: float
    count: int

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.value <= self.high:
            raise ValueError(f"ratio: expected 0 < low <= value <= high, got {self}")

    @property
    def verdict(self) -> str:
        """``slower``, ``faster``; ``alike`` where the interval holds 1, or where there is none."""
        if self.count < LEAST:
            return "alike"
        return "slower" if self.low > 1 else "faster" if self.high < 1 else "alike"

    def __str__(self) -> str:
        kind = "" if self.count >= LEAST else f"range of {self.count}: "
        return f"{self.value:.2f} ({kind}{self.low:.2f} to {self.high:.2f})"


def ratio(theirs: Sequence[float], ours: Sequence[float]) -> Ratio:
    """The ratio of two series of durations > 0, one of each for a round.

    A round's ratio is free of what slows a whole round down. The interval reaches from one round's
    ratio to another's and holds the median of all rounds that could be in ``LEVEL`` of the cases
    or more, however they scatter: the sign test's (Conover, "Practical Nonparametric Statistics",
    1999, section 3.2). ValueError for none, or series of unequal length.
    """
    if not theirs or len(theirs) != len(ours):
        raise ValueError(f"rounds: expected equally many, got {len(theirs)} and {len(ours)}")
    if min(*theirs, *ours) <= 0:
        raise ValueError("durations: expected more than 0")
    ratios = sorted(a / b for a, b in zip(theirs, ours, strict=True))
    left = _left_out(len(ratios))
    return Ratio(median(ratios), ratios[left], ratios[-1 - left], len(ratios))


def _left_out(count: int) -> int:
    """How many at each end lie outside: as many as leave ``LEVEL`` inside, none of a few."""
    left, outside = 0, 2 * 0.5**count
    while (outside := outside + 2 * comb(count, left + 1) * 0.5**count) <= 1 - LEVEL:
        left += 1
    return left if count >= LEAST else 0
