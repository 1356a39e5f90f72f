"""The trainer's pictures, from learning curves to slices; each as PNG bytes."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from corrosion_edge.calibration import calibration_bins
from corrosion_edge.intervals import wilson
from corrosion_edge.metrics import Metrics
from corrosion_edge.report import png_of
from corrosion_edge.trainer.robustness import Curve, Robustness

__all__ = ["confusion_matrix", "learning_curves", "reliability", "roc", "slices"]

_COLOURS = {"train": "#8c8c8c", "validation": "#b3430f"}
_RUST, _BLUE, _GREY = "#b3430f", "#3b6ea5", "#8c8c8c"
_COLUMNS = 3  # of the small multiples
Labels = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]


def learning_curves(history: Sequence[dict[str, float]]) -> bytes:
    """Loss and accuracy of both sets: over the penalty's strength, and over the epochs."""
    kinds = [
        (axis, rows)
        for axis in ("strength", "epoch")
        if (rows := [r for r in history if axis in r])
    ]
    figure = Figure(figsize=(9, 3.6 * len(kinds)), layout="constrained")
    grid = figure.subplots(len(kinds), 2, squeeze=False)
    for (axis, rows), row in zip(kinds, grid, strict=True):
        for quantity, axes in zip(("loss", "accuracy"), row, strict=True):
            _learning_curve(axes, rows, axis, quantity)
    return png_of(figure)


def _learning_curve(axes: Any, rows: Sequence[dict[str, float]], axis: str, quantity: str) -> None:
    for name, colour in _COLOURS.items():
        values = [row[f"{name}_{quantity}"] for row in rows]
        axes.plot([row[axis] for row in rows], values, color=colour, label=name, marker=".")
    if axis == "strength":
        axes.set_xscale("log")
    for before, after in pairwise(rows):
        if axis == "epoch" and before["stage"] != after["stage"]:
            axes.axvline((before[axis] + after[axis]) / 2, color=_GREY, linestyle=":")
    axes.set_xlabel({"strength": "C, inverse strength of the penalty"}.get(axis, axis))
    axes.set_ylabel({"loss": "log loss"}.get(quantity, quantity))
    axes.grid(alpha=0.3)
    axes.legend()


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


def roc(labels: Labels, scores: Scores, metrics: Metrics) -> bytes:
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


def reliability(
    labels: Labels, scores: Scores, metrics: Metrics, uncalibrated: Scores | None = None
) -> bytes:
    """Fraction corroded over mean score, in bins of equal mass with Wilson intervals.

    Beneath lie the scores of both classes, with the thresholds and the abstain band.
    ``uncalibrated`` [n], the scores without the temperature, are drawn in grey.
    """
    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1.2))
    upper.plot([0, 1], [0, 1], color="#c8c8c8", linestyle="--", linewidth=1)
    if uncalibrated is not None:
        means, fractions, _ = _bins(labels, uncalibrated)
        upper.plot(means, fractions, ".-", color=_GREY, linewidth=1, label="without temperature")
    means, fractions, bars = _bins(labels, scores)
    upper.errorbar(means, fractions, bars, fmt="o-", color=_RUST, linewidth=1, capsize=2,
                   label="as delivered")  # fmt: skip
    upper.set_title(f"calibration error {metrics.ece:.3f}; perfect scores: "
                    f"up to {metrics.ece_if_calibrated:.3f}", fontsize=10)  # fmt: skip
    upper.set_ylabel("fraction corroded")
    upper.grid(alpha=0.3)
    upper.legend(loc="upper left")
    _score_histogram(lower, labels, scores, metrics)
    return png_of(figure)


def slices(robustness: Robustness) -> bytes:
    """Small multiples: accuracy (with Wilson's band), recall and specificity over the levels."""
    rows = -(-len(robustness.curves) // _COLUMNS)
    figure = Figure(figsize=(10.5, 2.9 * rows), layout="constrained")
    panels = figure.subplots(rows, _COLUMNS, sharey=True, squeeze=False).ravel()
    broken = {(piece.name, level.level) for piece, level in robustness.breaks}
    for axes, curve in zip(panels, robustness.curves, strict=False):
        _curve(axes, curve, robustness, broken)
    for axes in panels[len(robustness.curves) :]:
        axes.set_visible(False)
    panels[0].set_ylim(_lowest(robustness), 1.03)
    panels[0].legend(fontsize=8, loc="lower right")
    return png_of(figure)


def _lowest(robustness: Robustness) -> float:
    """The foot of the axis: 0.5, where a coin stands, or the tenth below the least value."""
    levels = [lv for curve in robustness.curves for lv in curve.levels]
    least = min(min(lv.recall, lv.specificity, lv.ci95["accuracy"][0]) for lv in levels)
    return min(0.5, np.floor(10 * least) / 10)


def _bins(labels: Labels, scores: Scores) -> tuple[Scores, Scores, Scores]:
    """Mean score [k], fraction corroded [k], and bars down and up [2, k], of the filled bins."""
    place = calibration_bins(scores)
    filled = np.unique(place)
    means = np.array([scores[place == b].mean() for b in filled])
    counts = [(int(labels[place == b].sum()), int((place == b).sum())) for b in filled]
    fractions = np.array([k / n for k, n in counts])
    low, high = np.array([wilson(k, n) for k, n in counts]).T
    return means, fractions, np.abs(np.stack([fractions - low, high - fractions]))


def _score_histogram(axes: Any, labels: Labels, scores: Scores, metrics: Metrics) -> None:
    both = [scores[labels == 0], scores[labels == 1]]
    axes.hist(both, bins=np.linspace(0, 1, 21), stacked=True, color=[_BLUE, _RUST],
              label=["no corrosion", "corrosion"])  # fmt: skip
    axes.axvline(metrics.threshold, color="black", linewidth=1, label="threshold")
    if metrics.at_recall:
        axes.axvline(metrics.at_recall.threshold, color="black", linewidth=1, linestyle=":",
                     label=f"for recall {metrics.at_recall.target:g}")  # fmt: skip
    if metrics.abstain:
        axes.axvspan(metrics.abstain.low, metrics.abstain.high, color="#e0c060", alpha=0.35,
                     linewidth=0, label="unsure")  # fmt: skip
    axes.set_xlabel("score, the probability of corrosion")
    axes.set_ylabel("photos")
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.05))


def _curve(axes: Any, curve: Curve, whole: Robustness, broken: set[tuple[str, float]]) -> None:
    """One panel; the levels stand at equal distances, the plain one among them."""
    piece = curve.slice
    levels = sorted([*((lv.level, lv) for lv in curve.levels), (piece.plain, whole.plain)],
                    key=lambda pair: pair[0])  # fmt: skip
    places = range(len(levels))
    low, high = np.array([lv.ci95["accuracy"] for _, lv in levels]).T
    axes.fill_between(places, low, high, color="black", alpha=0.12, linewidth=0)
    for name, colour in (("recall", _RUST), ("specificity", _BLUE), ("accuracy", "black")):
        axes.plot(places, [getattr(lv, name) for _, lv in levels], ".-", color=colour, label=name,
                  linewidth=1.6 if name == "accuracy" else 1)  # fmt: skip
    rings = [i for i, (value, _) in enumerate(levels) if (piece.name, value) in broken]
    axes.plot(rings, [levels[i][1].accuracy for i in rings], "o", markersize=11, fillstyle="none",
              color="black", linestyle="none", label="breaks here")  # fmt: skip
    axes.axvline([v for v, _ in levels].index(piece.plain), color=_GREY, linestyle=":", zorder=0)
    axes.set_xticks(places, [piece.tick(value) for value, _ in levels], fontsize=8)
    axes.set_title(piece.title, fontsize=10)
    axes.set_xlabel(piece.unit, fontsize=9)
    axes.grid(alpha=0.3)
