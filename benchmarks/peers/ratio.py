"""How many times as long as another, with an interval, from rounds in which both took turns.

Unlike ``benchmarks.ratios``, which compares runs made apart, each round gives a ratio of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

__all__ = ["RESAMPLES", "Ratio", "ratio"]

RESAMPLES: Final = 10_000
_SEED: Final = 0  # the same figures give the same interval


@dataclass(frozen=True, slots=True)
class Ratio:
    """The median of the rounds' ratios and its 95 % interval, ``low`` to ``high``."""

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.value <= self.high:
            raise ValueError(f"ratio: expected 0 < low <= value <= high, got {self}")

    @property
    def verdict(self) -> str:
        """``slower``, ``faster`` or, where the interval holds 1, ``alike``."""
        return "slower" if self.low > 1 else "faster" if self.high < 1 else "alike"

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


def ratio(theirs: Sequence[float], ours: Sequence[float]) -> Ratio:
    """The ratio of two series of durations > 0, one of each for a round.

    A round's ratio is free of what slows a whole round down. The interval is the percentile
    bootstrap's over rounds (Efron 1979). ValueError for none, or series of unequal length.
    """
    if not theirs or len(theirs) != len(ours):
        raise ValueError(f"rounds: expected equally many, got {len(theirs)} and {len(ours)}")
    if min(*theirs, *ours) <= 0:
        raise ValueError("durations: expected more than 0")
    ratios = np.asarray(theirs, np.float64) / np.asarray(ours, np.float64)
    drawn = np.random.default_rng(_SEED).integers(0, len(ratios), (RESAMPLES, len(ratios)))
    low, high = np.quantile(np.median(ratios[drawn], axis=1), (0.025, 0.975))
    value = float(np.median(ratios))
    # With few rounds a quantile may lie on the other side of the median by rounding.
    return Ratio(value, min(float(low), value), max(float(high), value))
