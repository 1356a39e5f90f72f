"""Curves of the training, confusion matrices and ROC curves over the seeds, as PNG bytes."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from corrosion_edge.report import png_of
from corrosion_edge.trainer.reproduce.rows import Outcome

__all__ = ["curves", "mean_roc", "photo_grid", "verdicts"]

_COLOURS: Final = {"train": "#8c8c8c", "validation": "#b3430f"}
_INK: Final = "#1d2327"
_BAND: Final = 0.25
_SMALL: Final = {"font.size": 7.5, "lines.linewidth": 1.1, "axes.linewidth": 0.6}
Curves = npt.NDArray[np.float64]


def curves(outcomes: Sequence[Outcome], thawed_after: int | None = None) -> bytes:
    """Accuracy and loss over the epochs: the seeds' mean, the band from lowest to highest.

    A dashed line marks the epoch after which the top layers learn too.
    """
    with rc_context(_SMALL):
        figure = Figure(figsize=(4.75, 2.1), layout="constrained")
        for place, quantity in enumerate(("accuracy", "loss")):
            axes = figure.add_subplot(1, 2, place + 1)
            _learning(axes, outcomes, quantity)
            if thawed_after is not None:
                axes.axvline(thawed_after + 0.5, color=_INK, linestyle="--", linewidth=0.7)
        return png_of(figure)


def verdicts(outcomes: Sequence[Outcome]) -> bytes:
    """The confusion matrix, the seeds' mean counts, and the mean ROC curve with its band."""
    with rc_context(_SMALL):
        figure = Figure(figsize=(4.75, 2.3), layout="constrained")
        _confusion(figure.add_subplot(1, 2, 1), outcomes)
        _roc(figure.add_subplot(1, 2, 2), outcomes)
        return png_of(figure)


def mean_roc(outcomes: Sequence[Outcome]) -> tuple[Curves, Curves]:
    """False-alarm rates [m], and the recall of each seed there [seeds, m]: steps, not slopes.

    The rates are the multiples of 1/(photos without corrosion). Corrosion is positive.
    """
    clean = outcomes[0].test.fp + outcomes[0].test.tn
    rates = np.arange(clean + 1) / clean
    return rates, np.stack([_recalls(outcome, rates) for outcome in outcomes])


def photo_grid(pictures: npt.NDArray[np.uint8], titles: Sequence[str]) -> bytes:
    """Pictures uint8 [n, h, w, 3] in rows of four, each under its title."""
    rows = -(-len(pictures) // 4)
    figure = Figure(figsize=(8, 2.2 * rows), layout="constrained")
    for place, (picture, title) in enumerate(zip(pictures, titles, strict=True)):
        axes = figure.add_subplot(rows, 4, place + 1)
        axes.imshow(picture)
        axes.set_title(title, fontsize=9)
        axes.set_axis_off()
    return png_of(figure)


def _learning(axes: Any, outcomes: Sequence[Outcome], quantity: str) -> None:
    for name, colour in _COLOURS.items():
        _band(axes, _history(outcomes, f"{name}_{quantity}"), colour, name)
    axes.set_xlabel("epoch")
    axes.set_ylabel({"loss": "log loss"}.get(quantity, quantity))
    axes.grid(alpha=0.3)
    axes.legend()


def _history(outcomes: Sequence[Outcome], name: str) -> Curves:
    """[seeds, epochs], as many epochs as the shortest history has."""
    epochs = min(len(outcome.history) for outcome in outcomes)
    return np.array([[e[name] for e in o.history[:epochs]] for o in outcomes], np.float64)


def _band(axes: Any, values: Curves, colour: str, label: str) -> None:
    x = np.arange(1, values.shape[1] + 1)
    marker = "." if len(x) < 3 else None
    axes.plot(x, values.mean(axis=0), color=colour, label=label, marker=marker)
    if len(values) > 1:
        axes.fill_between(
            x, values.min(axis=0), values.max(axis=0), color=colour, alpha=_BAND, linewidth=0
        )


def _confusion(axes: Any, outcomes: Sequence[Outcome]) -> None:
    counts = np.array(
        [[[o.test.tp, o.test.fn], [o.test.fp, o.test.tn]] for o in outcomes], np.float64
    )
    mean = counts.mean(axis=0)
    shares = mean / mean.sum(axis=1, keepdims=True)
    axes.imshow(shares, cmap="Oranges", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        text = f"{mean[row, column]:.0f}"
        if len(counts) > 1:
            text = f"{mean[row, column]:.1f}\n± {counts[:, row, column].std(ddof=1):.1f}"
        colour = "white" if share > 0.5 else "black"
        axes.text(column, row, text, ha="center", va="center", fontsize=10, color=colour)
    names = ("corrosion", "no corrosion")
    axes.set_xticks(range(2), names)
    axes.set_yticks(range(2), names, rotation=90, va="center")
    axes.set_xlabel("verdict")
    axes.set_ylabel("truth")


def _roc(axes: Any, outcomes: Sequence[Outcome]) -> None:
    rates, recalls = mean_roc(outcomes)
    colour = _COLOURS["validation"]
    axes.plot([0, 1], [0, 1], color="#c8c8c8", linestyle="--", linewidth=1)
    axes.step(rates, recalls.mean(axis=0), where="post", color=colour)
    if len(recalls) > 1:
        axes.fill_between(rates, recalls.min(axis=0), recalls.max(axis=0), step="post",
                          color=colour, alpha=_BAND, linewidth=0)  # fmt: skip
    aucs = [outcome.test.auc for outcome in outcomes]
    spread = f" ± {np.std(aucs, ddof=1):.3f}" if len(aucs) > 1 else ""
    axes.set_title(f"AUC {np.mean(aucs):.3f}{spread}", fontsize=8)
    axes.set_xlabel("false alarms / photos without corrosion")
    axes.set_ylabel("found / photos with corrosion")
    axes.grid(alpha=0.3)


def _recalls(outcome: Outcome, rates: Curves) -> Curves:
    """The highest recall that is had with at most each rate of false alarms."""
    labels, scores = np.array(outcome.labels), np.array(outcome.scores)
    alarms, recalls, _ = roc_curve(labels, scores, drop_intermediate=False)
    # A rate and its twin computed elsewhere may differ in the last bit.
    places = np.searchsorted(alarms, rates + 1e-9, side="right") - 1
    return np.asarray(recalls[places], np.float64)
