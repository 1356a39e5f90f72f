"""Confidence intervals of 95 %: Wilson's for fractions of counts, a bootstrap for the rest.

Needs SciPy (the extra ``train``).
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import stats

__all__ = ["RESAMPLES", "Interval", "bootstrap", "wilson"]

RESAMPLES: Final = 2000
"""Bootstrap resamples behind each interval."""

_SEED = 0  # of the bootstrap: the same scores give the same interval
_LEVEL = 0.95
Interval = tuple[float, float]


def wilson(successes: int, n: int) -> Interval:
    """Wilson's 95 % score interval for a fraction (Wilson 1927), [0, 1] for n = 0."""
    if n == 0:
        return 0.0, 1.0
    low, high = stats.binomtest(successes, n).proportion_ci(_LEVEL, method="wilson")
    return float(low), float(high)


def bootstrap(
    statistic: Any, positive: npt.NDArray[np.float64], negative: npt.NDArray[np.float64]
) -> Interval:
    """95 % percentile interval of ``statistic(positive, negative, axis=-1)``, float64 [n], [m].

    Each class is resampled with replacement; with one photo of a class, which says nothing of
    the spread, it is [0, 1].
    """
    if min(len(positive), len(negative)) < 2:
        return 0.0, 1.0
    result = stats.bootstrap(
        (positive, negative),
        statistic,
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=100,
        confidence_level=_LEVEL,
        method="percentile",
        rng=np.random.default_rng(_SEED),
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)
