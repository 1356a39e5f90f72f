"""Ratios of percentiles with intervals, for samples that were taken by several processes.

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

__all__ = ["DRAWS", "LEVEL", "Ratio", "percentile_ratio", "resampled"]

DRAWS: Final = 2000
LEVEL: Final = 0.95
_LEAST: Final = 2  # processes, to see that they differ

Rounds = Sequence[Sequence[float]]
"""The samples of each process."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of two percentiles, with its ``interval`` (low, high) of ``LEVEL``.

    That is None where one of them is of a single process: how far processes differ is not known.
    """

    value: Positive
    interval: tuple[Positive, Positive] | None

    @property
    def differs(self) -> bool | None:
        """Whether the interval leaves out that both are alike; None without one."""
        if self.interval is None:
            return None
        low, high = self.interval
        return not low <= 1.0 <= high


def percentile_ratio(
    one: Rounds, other: Rounds, percent: float = 50.0, *, draws: int = DRAWS, seed: int = 1
) -> Ratio:
    """The percentile of all samples of ``one`` divided by that of ``other``: percentile interval.

    Both are drawn anew, independently, ``draws`` times. The same samples and seed give the same
    interval. With few processes it is too narrow, see the documentation. ValueError for an empty
    process, or none.
    """
    import numpy as np

    for rounds in (one, other):
        if not rounds or not all(len(part) for part in rounds):
            raise ValueError("rounds: expected one or more, each with one or more samples")
    top, bottom = (np.percentile(np.concatenate(rounds), percent) for rounds in (one, other))
    value = float(top / bottom)
    if min(len(one), len(other)) < _LEAST:
        return Ratio(value, None)
    random = np.random.default_rng(seed)
    drawn = resampled(one, draws, random, percent) / resampled(other, draws, random, percent)
    low, high = np.percentile(drawn, (50 * (1 - LEVEL), 50 * (1 + LEVEL)))
    return Ratio(value, (float(low), float(high)))


def resampled(
    rounds: Rounds, draws: int, random: "np.random.Generator", percent: float = 50.0
) -> "npt.NDArray[np.float64]":
    """Percentiles, float64 [draws], of as many processes drawn anew, and as many runs of each."""
    import numpy as np

    parts = [np.asarray(part, np.float64) for part in rounds]
    chosen = random.integers(0, len(parts), (draws, len(parts)))
    drawn = (np.concatenate([_redrawn(parts[n], random) for n in row]) for row in chosen)
    return np.array([np.percentile(one, percent) for one in drawn])


def _redrawn(
    samples: "npt.NDArray[np.float64]", random: "np.random.Generator"
) -> "npt.NDArray[np.float64]":
    drawn: npt.NDArray[np.float64] = samples[random.integers(0, len(samples), len(samples))]
    return drawn
