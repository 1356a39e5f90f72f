"""The page about a conversion: what it changed, and whether that is within the limits."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure as Canvas

from corrosion_edge.confidence import Confidence
from corrosion_edge.prediction import LABELS
from corrosion_edge.quantize.drift import DriftReport
from corrosion_edge.report import Figure, Page, Section, Table, Text, png_of, render
from corrosion_edge.trainer.report import confidence_origin
from corrosion_edge.trainer.samples import Samples

__all__ = ["drift_page", "summary_rows"]

_MOST = 20
Scores = npt.NDArray[np.float64]


def summary_rows(drift: DriftReport) -> list[tuple[str, str, str, str]]:
    """Figure, float, int8, change; as text."""
    rows = []
    for name, title in (
        ("accuracy", "accuracy"),
        ("auc", "ROC-AUC"),
        ("recall", "recall"),
        ("precision", "precision"),
        ("ece", "ECE"),
    ):
        before, after = getattr(drift.reference, name), getattr(drift.quantized, name)
        rows.append((title, f"{before:.4f}", f"{after:.4f}", f"{after - before:+.4f}"))
    return rows


def drift_page(
    model: str,
    info: Mapping[str, Any],
    drift: DriftReport,
    confidence: Confidence,
    samples: Samples,
    before: Scores,
    after: Scores,
) -> str:
    """One self-contained page."""
    verdict = (
        "Not delivered: " + "; ".join(drift.broken) + "."
        if drift.broken
        else "Delivered: all limits were kept."
    )
    n = drift.reference.n
    summary = Section(
        "Float against int8",
        [
            Text(verdict),
            Table(
                ("figure", "float", "int8", "change"),
                summary_rows(drift),
                f"{n} validation photos, each through the device's own classifier",
            ),
            Table(("measure", "value"), _changes(drift), "Change of each probability"),
            Figure(_scatter(drift, samples, before, after), _CAPTION, _CAPTION),
        ],
    )
    worst = Section(
        "Largest changes",
        [Table(("photo", "truth", "float", "int8"), _worst(samples, before, after), "")],
    )
    own = Section(
        "What the int8 scores are worth",
        [Table(("what", "value"), _confidence(confidence), confidence_origin(confidence))],
    )
    subtitle = f"{info['backbone']}, recipe {info['recipe']}"
    return render(Page(f"Conversion of {model}", subtitle, [summary, own, worst]))


_CAPTION = "Probability of corrosion, float against int8, one point a photo"


def _changes(drift: DriftReport) -> list[tuple[str, str]]:
    limits = drift.limits
    return [
        ("same verdict", f"{drift.agreement:.2%}"),
        ("mean absolute change", f"{drift.mean_change:.4f}"),
        ("largest absolute change", f"{drift.largest_change:.4f}"),
        ("verdicts turned to no corrosion", str(drift.corrosion_missed)),
        ("verdicts turned to corrosion", str(drift.corrosion_added)),
        ("limit: accuracy may drop by", f"{limits.accuracy_drop:g}"),
        ("limit: ROC-AUC may drop by", f"{limits.auc_drop:g}"),
    ]


def _confidence(confidence: Confidence) -> list[tuple[str, str]]:
    """The figures that travel in the model file."""
    band = confidence.unsure
    return [
        (
            f"threshold for recall {confidence.recall_target:g}",
            f"{confidence.recall_threshold:.4f}",
        ),
        ("unsure", f"{band[0]:.4f} to {band[1]:.4f}" if band else "none"),
    ]


def _worst(samples: Samples, before: Scores, after: Scores) -> list[tuple[str, str, str, str]]:
    order = np.argsort(-np.abs(before - after))[:_MOST]
    return [
        (
            "/".join(samples.photos[i].path.parts[-2:]),
            LABELS[samples.labels[i]],
            f"{before[i]:.3f}",
            f"{after[i]:.3f}",
        )
        for i in order
    ]


def _scatter(drift: DriftReport, samples: Samples, before: Scores, after: Scores) -> bytes:
    canvas = Canvas(figsize=(4.8, 4.6), layout="constrained")
    axes = canvas.add_subplot()
    axes.plot([0, 1], [0, 1], color="#c8c8c8", linewidth=1)
    for line in (axes.axhline, axes.axvline):
        line(drift.reference.threshold, color="#c8c8c8", linewidth=1, linestyle="--")
    for label, colour in ((1, "#b3430f"), (0, "#3b6ea5")):
        chosen = samples.labels == label
        axes.plot(before[chosen], after[chosen], "o", markersize=4, alpha=0.6, color=colour,
                  label=LABELS[label])  # fmt: skip
    axes.set_xlabel("float")
    axes.set_ylabel("int8")
    axes.legend()
    return png_of(canvas)
