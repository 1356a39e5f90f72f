"""A regularised logistic head on the frozen backbone's features.

Command: ``corrosion-edge train DATA --out RUN`` (the default recipe). Cost: one pass of the
backbone over the training and validation photos, then seconds. The strength of the
regularisation is the one with the least log loss on validation. No augmentation; the features
are standardised for the fit and the scaling is folded into the head afterwards.
"""

from typing import Final

import keras
import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.preprocessing import StandardScaler

from corrosion_edge.progress import progress
from corrosion_edge.trainer.model import assemble, set_head
from corrosion_edge.trainer.recipes import Fitted, Task
from corrosion_edge.trainer.samples import Samples

__all__ = ["STRENGTHS", "features", "fit"]

STRENGTHS: Final = tuple(float(c) for c in np.logspace(-5, 1, 19))
"""Inverse strengths of the L2 penalty (scikit-learn's C) that are tried."""

_BATCH = 32
_ITERATIONS = 5000
Matrix = npt.NDArray[np.float64]


def fit(task: Task) -> Fitted:
    """Fit heads of all strengths, keep the one with the least validation log loss."""
    task.options.refuse("fast", "fine_tune", "epochs")
    parts = assemble(task.backbone, task.options.pooling)
    train = features(parts.features, task.train, "Features of the training photos")
    held_out = features(parts.features, task.validation, "Features of the validation photos")
    scaler = StandardScaler().fit(train)
    heads = [_head(scaler.transform(train), task.train.labels, c) for c in STRENGTHS]
    history = [
        _row(
            head,
            (scaler.transform(train), task.train),
            (scaler.transform(held_out), task.validation),
        )
        for head in heads
    ]
    best = int(np.argmin([row["validation_loss"] for row in history]))
    weights = heads[best].coef_[0] / scaler.scale_
    set_head(parts.model, weights, float(heads[best].intercept_[0] - weights @ scaler.mean_))
    return Fitted(
        model=parts.model,
        history=history,
        settings={"strength": STRENGTHS[best], "chosen_by": "validation_loss"},
    )


def features(network: keras.Model, samples: Samples, label: str) -> Matrix:
    """Pooled features, float64 [n, c], of every sample."""
    starts = range(0, len(samples), _BATCH)
    batches = [
        np.asarray(network.predict_on_batch(samples.pixels[i : i + _BATCH]))
        for i in progress(starts, label)
    ]
    return np.concatenate(batches).astype(np.float64)


def _head(train: Matrix, labels: npt.NDArray[np.int64], c: float) -> LogisticRegression:
    return LogisticRegression(C=c, max_iter=_ITERATIONS).fit(train, labels)


def _row(head: LogisticRegression, *sets: tuple[Matrix, Samples]) -> dict[str, float]:
    row = {"strength": float(head.C)}
    for name, (matrix, samples) in zip(("train", "validation"), sets, strict=True):
        p = head.predict_proba(matrix)[:, 1]
        row[f"{name}_loss"] = float(log_loss(samples.labels, p))
        row[f"{name}_accuracy"] = float(accuracy_score(samples.labels, p >= 0.5))
    return row
