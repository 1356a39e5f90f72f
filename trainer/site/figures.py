"""Before and after on the same photos, and how much of the old a model may forget."""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import stats
from sklearn.metrics import roc_auc_score

from corrosion_edge.intervals import Interval, wilson
from corrosion_edge.metrics import auc_interval

__all__ = ["Change", "Figures", "Limits", "compare", "forgotten", "judge", "log_losses"]

_CLOSEST: Final = 1e-7  # a score's distance to 0 and 1 in the log loss, as in metrics
_ROUNDING: Final = 1e-9
Labels = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The largest loss of ROC-AUC and of accuracy on the old validation photos."""

    auc: float = 0.01
    accuracy: float = 0.02

    def __post_init__(self) -> None:
        for name in ("auc", "accuracy"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}: expected 0 to 1, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """A model's figures on ``n`` photos, which may be of one class only.

    Fractions in [0, 1]; recall, specificity and AUC are None where their class is missing.
    ``log_loss`` is in nats. ``ci95``: Wilson's, for AUC a stratified bootstrap's.
    """

    n: int
    corroded: int
    missed: int
    false_alarms: int
    accuracy: float
    recall: float | None
    specificity: float | None
    auc: float | None
    log_loss: float
    ci95: dict[str, Interval]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, lists and dicts."""
        return asdict(self) | {"ci95": {k: list(v) for k, v in self.ci95.items()}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Two models on the same photos at the same threshold.

    ``won`` photos are right only after, ``lost`` only before; ``p`` is that of McNemar's exact
    test (two-sided binomial test of the verdicts that turned; McNemar 1947).
    """

    before: Figures
    after: Figures
    won: int
    lost: int
    p: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        fields: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        return fields | {"before": self.before.to_dict(), "after": self.after.to_dict()}


def judge(labels: Labels, scores: Scores, threshold: float) -> Figures:
    """Judge scores [n] (probability of corrosion) against labels [n] (1 = corrosion), n > 0."""
    called = scores >= threshold
    missed = int(np.sum(~called & (labels == 1)))
    alarms = int(np.sum(called & (labels == 0)))
    n, corroded = len(labels), int(labels.sum())
    counts = {"accuracy": (n - missed - alarms, n)}
    counts |= {"recall": (corroded - missed, corroded)} if corroded else {}
    counts |= {"specificity": (n - corroded - alarms, n - corroded)} if corroded < n else {}
    both = 0 < corroded < n
    ci95 = {name: wilson(k, m) for name, (k, m) in counts.items()}
    values = {name: k / m for name, (k, m) in counts.items()}
    return Figures(
        n=n,
        corroded=corroded,
        missed=missed,
        false_alarms=alarms,
        accuracy=values["accuracy"],
        recall=values.get("recall"),
        specificity=values.get("specificity"),
        auc=float(roc_auc_score(labels, scores)) if both else None,
        log_loss=float(log_losses(labels, scores).mean()),
        ci95=ci95 | ({"auc": auc_interval(labels, scores)} if both else {}),
    )


def compare(labels: Labels, before: Scores, after: Scores, threshold: float) -> Change:
    """Judge two models' scores [n] on the same photos; the verdicts are at ``threshold``."""
    right, right_after = ((s >= threshold) == (labels == 1) for s in (before, after))
    won, lost = int(np.sum(right_after & ~right)), int(np.sum(right & ~right_after))
    return Change(
        before=judge(labels, before, threshold),
        after=judge(labels, after, threshold),
        won=won,
        lost=lost,
        p=float(stats.binomtest(won, won + lost).pvalue) if won + lost else 1.0,
    )


def forgotten(change: Change, limits: Limits) -> tuple[str, ...]:
    """A sentence for each limit that a change on the old validation photos, of both classes, broke.

    The gate is on the figures themselves, not on their significance: a loss that few photos
    cannot prove is a loss all the same.
    """
    broken = []
    for name, title in (("auc", "ROC-AUC"), ("accuracy", "accuracy")):
        before, after = getattr(change.before, name), getattr(change.after, name)
        limit = getattr(limits, name)
        if before - after > limit + _ROUNDING:
            broken.append(
                f"{title} on the {change.before.n} old validation photos falls by "
                f"{before - after:.4f}, {before:.4f} to {after:.4f}; the limit is {limit:g}"
            )
    return tuple(broken)


def log_losses(labels: Labels, scores: Scores) -> Scores:
    """Each photo's -log of the probability of the truth, in nats."""
    p = np.clip(scores, _CLOSEST, 1 - _CLOSEST)
    return np.asarray(-np.log(np.where(labels == 1, p, 1 - p)))
