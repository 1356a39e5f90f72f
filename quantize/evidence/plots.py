"""Pictures of the scores of two models on the same photos, as PNG files' bytes."""

from typing import Final

import numpy as np
from matplotlib.figure import Figure as Canvas

from corrosion_edge.precision import INT8
from corrosion_edge.prediction import LABELS
from corrosion_edge.quantize.drift import log_odds_changes
from corrosion_edge.quantize.evidence.sets import Scored
from corrosion_edge.report import png_of

__all__ = ["histogram", "scatter"]

_COLOURS: Final = ((1, "#b3430f"), (0, "#3b6ea5"))
_GREY: Final = "#c8c8c8"
_BINS: Final = 41  # odd: one bin is around 0


def scatter(scored: Scored, threshold: float, converted: str = INT8) -> bytes:
    """Probability of corrosion, float against the other, one point a photo; threshold dashed."""
    canvas = Canvas(figsize=(4.5, 4.4), layout="constrained")
    axes = canvas.add_subplot()
    axes.plot([0, 1], [0, 1], color=_GREY, linewidth=1)
    for line in (axes.axhline, axes.axvline):
        line(threshold, color=_GREY, linewidth=1, linestyle="--")
    for label, colour in _COLOURS:
        chosen = scored.samples.labels == label
        if chosen.any():
            axes.plot(scored.before[chosen], scored.after[chosen], "o", markersize=4, alpha=0.6,
                      color=colour, label=LABELS[label])  # fmt: skip
    axes.set_xlabel("probability of corrosion, float")
    axes.set_ylabel(converted)
    canvas.legend(loc="outside upper center", ncols=2)
    return png_of(canvas)


def histogram(scored: Scored, converted: str = INT8) -> bytes:
    """Log-odds, the converted model's minus float's, by class; stacked."""
    changes = log_odds_changes(scored.before, scored.after)
    reach = max(0.1, float(np.abs(changes).max())) * 1.02
    groups = [
        (label, colour) for label, colour in _COLOURS if (scored.samples.labels == label).any()
    ]
    canvas = Canvas(figsize=(4.9, 4.4), layout="constrained")
    axes = canvas.add_subplot()
    axes.hist(
        [changes[scored.samples.labels == label] for label, _ in groups],
        bins=np.linspace(-reach, reach, _BINS + 1).tolist(),
        stacked=True,
        color=[colour for _, colour in groups],
        label=[LABELS[label] for label, _ in groups],
    )
    axes.axvline(0, color="black", linewidth=0.8)
    axes.axvline(float(changes.mean()), color="black", linewidth=1, linestyle=":", label="mean")
    axes.set_xlabel(f"log-odds of corrosion, {converted} − float")
    axes.set_ylabel("photos")
    canvas.legend(loc="outside upper center", ncols=3)
    return png_of(canvas)
