"""A logistic head with an L2 penalty on frozen features; the penalty is chosen on validation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.preprocessing import StandardScaler

__all__ = ["Labelled", "LinearHead", "fit_head"]

_ITERATIONS = 5000


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Features [n, c] and labels int64 [n] (1 = corrosion)."""

    features: npt.NDArray[np.float64]
    labels: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class LinearHead:
    """Log-odds of corrosion = features @ weights [c] + bias; ``strength`` is the penalty's C."""

    weights: npt.NDArray[np.float64]
    bias: float
    strength: float


def fit_head(
    train: Labelled, validation: Labelled, strengths: Sequence[float]
) -> tuple[LinearHead, list[dict[str, float]]]:
    """Fit a head with each inverse strength C, keep the one of least validation log loss.

    Features are standardised for the fit and the scaling is folded into the head afterwards.
    Also returns a row of losses, accuracies and AUCs for each strength.
    """
    scaler = StandardScaler().fit(train.features)
    scaled = scaler.transform(train.features)
    heads = [LogisticRegression(C=c, max_iter=_ITERATIONS).fit(scaled, train.labels)
             for c in strengths]  # fmt: skip
    known = {"train": Labelled(scaled, train.labels),
             "validation": Labelled(scaler.transform(validation.features),
                                    validation.labels)}  # fmt: skip
    rows = [_row(head, known) for head in heads]
    best = heads[int(np.argmin([row["validation_loss"] for row in rows]))]
    weights = best.coef_[0] / scaler.scale_
    bias = float(best.intercept_[0] - weights @ scaler.mean_)
    return LinearHead(weights, bias, float(best.C)), rows


def _row(head: LogisticRegression, sets: dict[str, Labelled]) -> dict[str, float]:
    row = {"strength": float(head.C)}
    for name, known in sets.items():
        p = head.predict_proba(known.features)[:, 1]
        row[f"{name}_loss"] = float(log_loss(known.labels, p))
        row[f"{name}_accuracy"] = float(accuracy_score(known.labels, p >= 0.5))
        row[f"{name}_auc"] = float(roc_auc_score(known.labels, p))
    return row
