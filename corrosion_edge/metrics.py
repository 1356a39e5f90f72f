"""How good a binary classifier is, with intervals. Corrosion, label 1, is the positive class.

Needs scikit-learn and SciPy (the extra ``train``).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support, roc_auc_score

from corrosion_edge.calibration import ece_if_calibrated, expected_calibration_error
from corrosion_edge.confidence import Confidence
from corrosion_edge.errors import DataError
from corrosion_edge.intervals import RESAMPLES, Interval, bootstrap, wilson
from corrosion_edge.operating import Abstention, OperatingPoint, abstention, at_recall

__all__ = ["RESAMPLES", "Confusion", "Metrics", "auc_interval", "measure", "roc_auc", "wilson"]

_CLOSEST = 1e-7  # a score's distance to 0 and 1 in the log loss: Keras's, so figures compare
Labels = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]


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

    ``ci95`` holds 95 % confidence intervals: Wilson's for accuracy, precision, recall and
    specificity (each a fraction of counts), a stratified bootstrap's percentiles for AUC, F1,
    log loss (in nats) and the Brier score; it is empty where they were left out. ``ece``, the
    expected calibration error, has no interval: it is to be compared with ``ece_if_calibrated``,
    below which perfect scores would stay 95 % of the time. ``no_corrosion`` holds precision,
    recall and F1 with no-corrosion as the positive class, as the paper's tables count.
    ``at_recall`` and ``abstain`` are there for a model that carries a recall threshold and an
    abstain band.
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
    specificity: float
    log_loss: float
    brier: float
    ece: float
    ece_if_calibrated: float
    at_recall: OperatingPoint | None = None
    abstain: Abstention | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, lists and dicts."""
        fields: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        fields["confusion"] = self.confusion.to_dict()
        fields["ci95"] = {name: list(interval) for name, interval in self.ci95.items()}
        for name in ("at_recall", "abstain"):
            fields[name] = fields[name].to_dict() if fields[name] else None
        return fields


def measure(
    labels: Labels,
    scores: Scores,
    threshold: float,
    confidence: Confidence | None = None,
    *,
    intervals: bool = True,
) -> Metrics:
    """Judge scores [n] (probability of corrosion) against labels [n] (1 = corrosion).

    The verdict is corrosion where the score is at least ``threshold``; ``confidence`` is the
    model's own, chosen on other photos. Without ``intervals``, which take most of the time,
    ``ci95`` is empty. DataError without both classes, because AUC and recall have no value then.
    """
    if len(set(labels.tolist())) != 2:
        raise DataError("photos of both classes are needed to measure a model")
    verdicts = scores >= threshold
    counts = Confusion.of(labels, verdicts)
    ours, papers = (_prf(labels, verdicts, positive) for positive in (1, 0))
    surprise, squares = _losses(labels, scores)
    return Metrics(
        n=len(labels),
        accuracy=float(np.mean(verdicts == labels)),
        auc=float(roc_auc_score(labels, scores)),
        **ours,
        threshold=threshold,
        confusion=counts,
        ci95=_intervals(labels, scores, verdicts, counts) if intervals else {},
        no_corrosion=papers,
        specificity=counts.true_negative / (counts.true_negative + counts.false_positive),
        log_loss=float(surprise.mean()),
        brier=float(squares.mean()),
        ece=expected_calibration_error(labels, scores),
        ece_if_calibrated=ece_if_calibrated(scores),
        at_recall=at_recall(labels, scores, confidence) if confidence else None,
        abstain=abstention(labels, scores, confidence) if confidence else None,
    )


def auc_interval(labels: Labels, scores: Scores) -> Interval:
    """95 % percentile interval of ROC-AUC: each class is resampled with replacement."""
    return bootstrap(roc_auc, scores[labels == 1], scores[labels == 0])


def _prf(labels: Labels, verdicts: npt.NDArray[np.bool_], positive: int) -> dict[str, float]:
    values = precision_recall_fscore_support(
        labels, verdicts, pos_label=positive, average="binary", zero_division=0
    )
    return dict(zip(("precision", "recall", "f1"), map(float, values[:3]), strict=True))


def _intervals(
    labels: Labels, scores: Scores, verdicts: npt.NDArray[np.bool_], c: Confusion
) -> dict[str, Interval]:
    truth = labels == 1
    surprise, squares = _losses(labels, scores)
    called = verdicts.astype(np.float64)
    return {
        "accuracy": wilson(c.true_positive + c.true_negative, len(labels)),
        "auc": auc_interval(labels, scores),
        "precision": wilson(c.true_positive, c.true_positive + c.false_positive),
        "recall": wilson(c.true_positive, c.true_positive + c.false_negative),
        "f1": bootstrap(_f1, called[truth], called[~truth]),
        "specificity": wilson(c.true_negative, c.true_negative + c.false_positive),
        "log_loss": bootstrap(_mean, surprise[truth], surprise[~truth]),
        "brier": bootstrap(_mean, squares[truth], squares[~truth]),
    }


def _losses(labels: Labels, scores: Scores) -> tuple[Scores, Scores]:
    """Each photo's -log of the probability of the truth, and squared error (Brier 1950)."""
    p = np.clip(scores, _CLOSEST, 1 - _CLOSEST)
    return -np.log(np.where(labels == 1, p, 1 - p)), np.square(labels - scores)


def roc_auc(positive: Scores, negative: Scores, axis: int = -1) -> Scores:
    """The area under the ROC curve: Mann-Whitney's U over n m, ties counted half.

    ``positive`` [..., n] and ``negative`` [..., m] are scores of either class along ``axis``.
    """
    n, m = positive.shape[axis], negative.shape[axis]
    ranks = stats.rankdata(np.concatenate([positive, negative], axis=axis), axis=axis)
    rank_sum = np.take(ranks, range(n), axis=axis).sum(axis=axis)
    return np.asarray((rank_sum - n * (n + 1) / 2) / (n * m))


def _f1(positive: Scores, negative: Scores, axis: int = -1) -> Scores:
    tp, fp = positive.sum(axis=axis), negative.sum(axis=axis)
    fn = positive.shape[axis] - tp
    return np.asarray(2 * tp / np.maximum(2 * tp + fp + fn, 1))


def _mean(positive: Scores, negative: Scores, axis: int = -1) -> Scores:
    return np.asarray(np.concatenate([positive, negative], axis=axis).mean(axis=axis))
