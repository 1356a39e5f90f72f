"""Ratios of medians with intervals, for samples that were taken by several processes.

Runs within one process are alike: it got its memory, its place on the cores and its clock once. So
the process is the unit that is drawn first, and its runs then (a hierarchical, or cluster,
bootstrap: Davison and Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from corrosion_edge.benchmarks.layout import Positive

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["DRAWS", "LEVEL", "Ratio", "median_ratio", "resampled_medians"]

DRAWS: Final = 2000
LEVEL: Final = 0.95

Rounds = Sequence[Sequence[int]]
"""The samples of each process."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of two medians, with its interval of ``LEVEL``."""

    value: Positive
    low: Positive
    high: Positive

    @property
    def differs(self) -> bool:
        """Whether the interval leaves out that both are alike."""
        return not self.low <= 1.0 <= self.high


def median_ratio(one: Rounds, other: Rounds, *, draws: int = DRAWS, seed: int = 1) -> Ratio:
    """The median of all samples of ``one`` divided by that of ``other``: percentile interval.

    Both are drawn anew, independently, ``draws`` times. The same samples and seed give the same
    interval. With few processes it is too narrow, see the documentation. ValueError for an empty
    process, or none.
    """
    import numpy as np

    random = np.random.default_rng(seed)
    drawn = resampled_medians(one, draws, random) / resampled_medians(other, draws, random)
    low, high = np.percentile(drawn, (50 * (1 - LEVEL), 50 * (1 + LEVEL)))
    value = np.median(np.concatenate(one)) / np.median(np.concatenate(other))
    return Ratio(float(value), float(low), float(high))


def resampled_medians(
    rounds: Rounds, draws: int, random: "np.random.Generator"
) -> "npt.NDArray[np.float64]":
    """Medians, float64 [draws], of as many processes drawn anew, and as many runs of each."""
    import numpy as np

    if not rounds or not all(len(part) for part in rounds):
        raise ValueError("rounds: expected one or more, each with one or more samples")
    parts = [np.asarray(part, np.float64) for part in rounds]
    chosen = random.integers(0, len(parts), (draws, len(parts)))
    return np.array(
        [np.median(np.concatenate([_redrawn(parts[n], random) for n in row])) for row in chosen]
    )


def _redrawn(
    samples: "npt.NDArray[np.float64]", random: "np.random.Generator"
) -> "npt.NDArray[np.float64]":
    drawn: npt.NDArray[np.float64] = samples[random.integers(0, len(samples), len(samples))]
    return drawn
