"""How good a binary classifier is, with intervals. Corrosion, label 1, is the positive class.

Needs scikit-learn and SciPy (the extra ``train``).
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import stats
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support, roc_auc_score

from corrosion_edge.errors import DataError

__all__ = ["RESAMPLES", "Confusion", "Metrics", "auc_interval", "measure", "wilson"]

RESAMPLES: Final = 2000
"""Bootstrap resamples behind each interval of AUC and F1."""

_SEED = 0  # of the bootstrap: the same scores give the same interval
_LEVEL = 0.95
Labels = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of photos; positive is corrosion."""

    true_positive: int
    false_positive: int
    true_negative: int
    false_negative: int

    @classmethod
    def of(cls, labels: Labels, verdicts: npt.NDArray[np.bool_]) -> "Confusion":
        """Count verdicts (True = corrosion) against labels (1 = corrosion)."""
        (tn, fp), (fn, tp) = confusion_matrix(labels, verdicts, labels=[0, 1]).tolist()
        return cls(tp, fp, tn, fn)

    def to_dict(self) -> dict[str, int]:
        """The four counts by their usual abbreviations."""
        return {
            "tp": self.true_positive,
            "fp": self.false_positive,
            "tn": self.true_negative,
            "fn": self.false_negative,
        }


@dataclass(frozen=True, slots=True)
class Metrics:
    """Figures of merit on ``n`` photos; fractions in [0, 1].

    ``ci95`` holds 95 % confidence intervals: Wilson's for accuracy, precision and recall (each a
    fraction of counts), a stratified bootstrap's percentiles for AUC and F1. ``no_corrosion``
    holds precision, recall and F1 with no-corrosion as the positive class, as the paper's tables
    count.
    """

    n: int
    accuracy: float
    auc: float
    precision: float
    recall: float
    f1: float
    threshold: float
    confusion: Confusion
    ci95: dict[str, Interval]
    no_corrosion: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, lists and dicts."""
        fields: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        fields["confusion"] = self.confusion.to_dict()
        fields["ci95"] = {name: list(interval) for name, interval in self.ci95.items()}
        return fields


def measure(labels: Labels, scores: Scores, threshold: float) -> Metrics:
    """Judge scores [n] (probability of corrosion) against labels [n] (1 = corrosion).

    The verdict is corrosion where the score is at least ``threshold``. DataError without both
    classes, because AUC and recall have no value then.
    """
    if len(set(labels.tolist())) != 2:
        raise DataError("photos of both classes are needed to measure a model")
    verdicts = scores >= threshold
    counts = Confusion.of(labels, verdicts)
    ours, papers = (_prf(labels, verdicts, positive) for positive in (1, 0))
    return Metrics(
        n=len(labels),
        accuracy=float(np.mean(verdicts == labels)),
        auc=float(roc_auc_score(labels, scores)),
        **ours,
        threshold=threshold,
        confusion=counts,
        ci95=_intervals(labels, scores, verdicts, counts),
        no_corrosion=papers,
    )


def wilson(successes: int, n: int) -> Interval:
    """Wilson's 95 % score interval for a fraction (Wilson 1927), [0, 1] for n = 0."""
    if n == 0:
        return 0.0, 1.0
    low, high = stats.binomtest(successes, n).proportion_ci(_LEVEL, method="wilson")
    return float(low), float(high)


def auc_interval(labels: Labels, scores: Scores) -> Interval:
    """95 % percentile interval of ROC-AUC: each class is resampled with replacement."""
    return _bootstrap(_auc, scores[labels == 1], scores[labels == 0])


def _prf(labels: Labels, verdicts: npt.NDArray[np.bool_], positive: int) -> dict[str, float]:
    values = precision_recall_fscore_support(
        labels, verdicts, pos_label=positive, average="binary", zero_division=0
    )
    return dict(zip(("precision", "recall", "f1"), map(float, values[:3]), strict=True))


def _intervals(
    labels: Labels, scores: Scores, verdicts: npt.NDArray[np.bool_], c: Confusion
) -> dict[str, Interval]:
    positive, negative = verdicts[labels == 1], verdicts[labels == 0]
    return {
        "accuracy": wilson(c.true_positive + c.true_negative, len(labels)),
        "auc": auc_interval(labels, scores),
        "precision": wilson(c.true_positive, c.true_positive + c.false_positive),
        "recall": wilson(c.true_positive, c.true_positive + c.false_negative),
        "f1": _bootstrap(_f1, positive.astype(np.float64), negative.astype(np.float64)),
    }


def _bootstrap(statistic: Any, positive: Scores, negative: Scores) -> Interval:
    if min(len(positive), len(negative)) < 2:
        return 0.0, 1.0  # one photo of a class says nothing of the spread
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


def _auc(positive: Scores, negative: Scores, axis: int = -1) -> Scores:
    """Mann-Whitney's U over n m, ties counted half: the area under the ROC curve."""
    n, m = positive.shape[axis], negative.shape[axis]
    ranks = stats.rankdata(np.concatenate([positive, negative], axis=axis), axis=axis)
    rank_sum = np.take(ranks, range(n), axis=axis).sum(axis=axis)
    return np.asarray((rank_sum - n * (n + 1) / 2) / (n * m))


def _f1(positive: Scores, negative: Scores, axis: int = -1) -> Scores:
    tp, fp = positive.sum(axis=axis), negative.sum(axis=axis)
    fn = positive.shape[axis] - tp
    return np.asarray(2 * tp / np.maximum(2 * tp + fp + fn, 1))
