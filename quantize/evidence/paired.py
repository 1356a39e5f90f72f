"""Statistics of two models on the same photos; float minus int8 throughout.

Needs SciPy (the extra ``train``).
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt
from scipy import stats

from corrosion_edge.intervals import Interval, bootstrap
from corrosion_edge.metrics import roc_auc
from corrosion_edge.precision import INT8

__all__ = [
    "McNemar",
    "accuracy_drop_interval",
    "auc_drop_interval",
    "exact_interval",
    "mcnemar",
    "mean_change_interval",
    "rate_drop_interval",
]

_LEVEL = 0.95
_ROUNDING = 1e-12
_UNSEEN = 3.0  # rule of three: what n photos did not show is rarer than 3 / n (95 %; Hanley 1983)
Labels = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class McNemar:
    """Photos that only the float model gets right (``lost``), only int8 (``won``), and the test.

    ``p`` is the probability, were both models equally often right, of a split of these photos at
    least as uneven: McNemar's test in its exact form, a two-sided binomial test (McNemar 1947).
    """

    lost: int
    won: int
    p: float

    def to_dict(self, converted: str = INT8) -> dict[str, float]:
        """Plain values; ``converted`` is the precision of the model that is not the float one."""
        return {"only_float_right": self.lost, f"only_{converted}_right": self.won, "p": self.p}


def mcnemar(before: Flags, after: Flags) -> McNemar:
    """Test whether float, right on ``before`` [n], and int8, on ``after``, are as often right."""
    lost, won = int(np.sum(before & ~after)), int(np.sum(~before & after))
    p = float(stats.binomtest(lost, lost + won).pvalue) if lost + won else 1.0
    return McNemar(lost, won, p)


def exact_interval(successes: int, n: int) -> Interval:
    """Clopper and Pearson's exact 95 % interval (1934) for a fraction of counts, n > 0."""
    low, high = stats.binomtest(successes, n).proportion_ci(_LEVEL, method="exact")
    return float(low), float(high)


def rate_drop_interval(lost: int, won: int, n: int) -> Interval:
    """95 % interval of the drop (lost - won) / n of a rate on ``n`` paired photos.

    Wald's with one photo added to either side (Bonett and Price 2012): unlike a bootstrap it has
    a width where no verdict changed, which few photos may well not show.
    """
    a, b = (lost + 1) / (n + 2), (won + 1) / (n + 2)
    half = stats.norm.ppf(0.5 + _LEVEL / 2) * sqrt((a + b - (a - b) ** 2) / (n + 2))
    return max(-1.0, float(a - b - half)), min(1.0, float(a - b + half))


def accuracy_drop_interval(labels: Labels, before: Flags, after: Flags) -> Interval:
    """95 % bootstrap interval of the drop of accuracy.

    The float model is right where ``before`` [n] is true, int8 where ``after`` is. Paired: every
    resample takes the same photos for both models, each class on its own, seeded. With fewer than
    two photos of a class it is [-1, 1]; where no resample differs it is widened by what as many
    photos may not show.
    """
    drops = before.astype(np.float64) - after
    return _paired(_mean, drops[labels == 1], drops[labels == 0], _UNSEEN / len(drops))


def mean_change_interval(labels: Labels, changes: Scores) -> Interval:
    """95 % bootstrap interval of the mean of absolute changes [n], in [0, 1]; as for accuracy."""
    positive, negative = changes[labels == 1], changes[labels == 0]
    low, high = _paired(_mean, positive, negative, _UNSEEN / len(changes))
    return max(0.0, low), high


def auc_drop_interval(labels: Labels, before: Scores, after: Scores) -> Interval:
    """95 % bootstrap interval of the drop of ROC-AUC from scores ``before`` [n] to ``after``.

    As for accuracy; a photo moves the AUC by at most its share of its class.
    """

    def drop(positive: Scores, negative: Scores, axis: int = -1) -> Scores:
        places = positive.astype(np.int64), negative.astype(np.int64)
        first, second = (roc_auc(s[places[0]], s[places[1]], axis) for s in (before, after))
        return np.asarray(first - second)

    corroded, clean = (np.flatnonzero(labels == label).astype(np.float64) for label in (1, 0))
    return _paired(drop, corroded, clean, _UNSEEN / len(corroded) + _UNSEEN / len(clean))


def _mean(positive: Scores, negative: Scores, axis: int = -1) -> Scores:
    return np.asarray(np.concatenate([positive, negative], axis=axis).mean(axis=axis))


def _paired(statistic: object, positive: Scores, negative: Scores, unseen: float) -> Interval:
    if min(len(positive), len(negative)) < 2:
        return -1.0, 1.0
    low, high = bootstrap(statistic, positive, negative)
    if high - low < _ROUNDING:  # no resample differs: that tells nothing of the spread
        low, high = low - unseen, high + unseen
    return max(-1.0, low), min(1.0, high)
