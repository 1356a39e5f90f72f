"""The trainer's pictures: learning curves, confusion matrix, ROC curve; each as PNG bytes."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from corrosion_edge.metrics import Metrics
from corrosion_edge.report import png_of

__all__ = ["confusion_matrix", "learning_curves", "roc"]

_COLOURS = {"train": "#8c8c8c", "validation": "#b3430f"}


def learning_curves(history: Sequence[dict[str, float]]) -> bytes:
    """Loss and accuracy of both sets over the first column (epoch, or penalty strength)."""
    axis = next(iter(history[0]))
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for place, quantity in enumerate(("loss", "accuracy")):
        axes = figure.add_subplot(1, 2, place + 1)
        for name, colour in _COLOURS.items():
            values = [row[f"{name}_{quantity}"] for row in history]
            axes.plot([row[axis] for row in history], values, color=colour, label=name, marker=".")
        if axis != "epoch":
            axes.set_xscale("log")
        axes.set_xlabel({"strength": "C, inverse strength of the penalty"}.get(axis, axis))
        axes.set_ylabel({"loss": "log loss"}.get(quantity, quantity))
        axes.grid(alpha=0.3)
        axes.legend()
    return png_of(figure)


def confusion_matrix(metrics: Metrics) -> bytes:
    """The four counts, the truth in rows, the verdict in columns."""
    c = metrics.confusion
    counts = np.array(
        [[c.true_positive, c.false_negative], [c.false_positive, c.true_negative]], np.int64
    )
    names = ("corrosion", "no corrosion")
    figure = Figure(figsize=(4.2, 3.6), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(counts / counts.sum(axis=1, keepdims=True), cmap="Oranges", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        dark = count > counts[row].sum() / 2
        axes.text(column, row, str(count), ha="center", va="center", fontsize=15,
                  color="white" if dark else "black")  # fmt: skip
    axes.set_xticks(range(2), names)
    axes.set_yticks(range(2), names, rotation=90, va="center")
    axes.set_xlabel(f"verdict at {metrics.threshold:.3g}")
    axes.set_ylabel("truth")
    return png_of(figure)


def roc(labels: npt.NDArray[np.int64], scores: npt.NDArray[np.float64], metrics: Metrics) -> bytes:
    """The receiver operating characteristic, with the point of the threshold in use."""
    false_alarms, recalls, _ = roc_curve(labels, scores)
    c = metrics.confusion
    figure = Figure(figsize=(4.2, 3.6), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="#c8c8c8", linestyle="--", linewidth=1)
    axes.plot(false_alarms, recalls, color=_COLOURS["validation"])
    fall_out = c.false_positive / (c.false_positive + c.true_negative)
    axes.plot(fall_out, metrics.recall, "o", color="black", label=f"at {metrics.threshold:.3g}")
    low, high = metrics.ci95["auc"]
    axes.set_title(f"AUC {metrics.auc:.3f}, 95 % CI {low:.3f} to {high:.3f}", fontsize=10)
    axes.set_xlabel("false alarms / photos without corrosion")
    axes.set_ylabel("found / photos with corrosion")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    return png_of(figure)
