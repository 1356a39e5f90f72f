"""How far the integer model's answers are from the float model's, photo by photo.

``compare`` works on arrays alone and is all that a search over conversions needs::

    report = compare(labels, reference, quantized, threshold, limits, intervals=False)
    if not report.broken:
        ...

Signs: drops are float minus int8; rises and signed changes are int8 minus float.
"""

from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from corrosion_edge.calibration import log_odds
from corrosion_edge.intervals import Interval
from corrosion_edge.metrics import measure
from corrosion_edge.prediction import LABELS
from corrosion_edge.quantize.evidence.comparison import Comparison, DriftReport, Flips
from corrosion_edge.quantize.evidence.limits import Check, Limits, judge, judge_largest
from corrosion_edge.quantize.evidence.paired import (
    accuracy_drop_interval,
    auc_drop_interval,
    exact_interval,
    mcnemar,
    mean_change_interval,
    rate_drop_interval,
)

__all__ = [
    "STEP",
    "Comparison",
    "DriftReport",
    "Limits",
    "compare",
    "compare_further",
    "log_odds_changes",
]

STEP: Final = 1 / 256
"""A step of an int8 model's scores. Log-odds of either model are taken no nearer to 0 and 1: an
int8 score may be 0 but at most 255/256, and would be far from a float model's 0.001 or 0.999."""

Labels = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]


def compare(
    labels: Labels,
    reference: Scores,
    quantized: Scores,
    threshold: float,
    limits: Limits,
    *,
    intervals: bool = True,
) -> DriftReport:
    """Compare probabilities [n] of the float and the int8 model on photos with labels [n].

    Labels are 1 for corrosion, probabilities those of corrosion; the verdict is corrosion from
    ``threshold``. All limits but that of the false alarms are checked. ``intervals`` False leaves
    out all 95 % intervals, and with them whether the photos are enough to tell; figures, ``checks``
    and ``broken`` stay the same, in a tenth of the time. Raises DataError without photos of
    both classes, ValueError for arrays that do not fit or are no probabilities.
    """
    report = _labelled(labels, reference, quantized, threshold, limits, intervals)
    return replace(report, checks=_checks(report, intervals))


def compare_further(
    labels: Labels,
    reference: Scores,
    quantized: Scores,
    threshold: float,
    limits: Limits,
    *,
    intervals: bool = True,
) -> Comparison:
    """Compare on photos other than those of the gate: lookalikes, a site's own.

    As ``compare``, but one class is enough (the result is a DriftReport where there are both),
    and the one limit that is checked is that of the false alarms.
    """
    both = len(set(labels.tolist())) == 2
    make = _labelled if both else _plain
    report = make(labels, reference, quantized, threshold, limits, intervals)
    return replace(report, checks=_alarm_check(report))


def log_odds_changes(reference: Scores, quantized: Scores) -> Scores:
    """Int8 minus float of the log-odds [n], probabilities kept a ``STEP`` from 0 and 1."""
    kept = (np.clip(scores, STEP, 1 - STEP) for scores in (reference, quantized))
    before, after = map(log_odds, kept)
    return after - before


def _plain(labels: Labels, before: Scores, after: Scores, threshold: float, limits: Limits,
           intervals: bool) -> Comparison:  # fmt: skip
    figures = _figures(labels, before, after, threshold)
    report = Comparison(**figures, ci95={}, checks=(), limits=limits)
    return replace(report, ci95=_plain_intervals(report)) if intervals else report


def _labelled(labels: Labels, before: Scores, after: Scores, threshold: float, limits: Limits,
              intervals: bool) -> DriftReport:  # fmt: skip
    report = DriftReport(
        **_figures(labels, before, after, threshold),
        reference=measure(labels, before, threshold, intervals=intervals),
        quantized=measure(labels, after, threshold, intervals=intervals),
        ci95={},
        checks=(),
        limits=limits,
    )
    if not intervals:
        return report
    paired = _paired_intervals(labels, before, after, threshold)
    return replace(report, ci95=_plain_intervals(report) | paired)


def _figures(labels: Labels, before: Scores, after: Scores, threshold: float) -> dict[str, Any]:
    _require(labels, before, after)
    called, called_after = before >= threshold, after >= threshold
    changes = np.abs(after - before)
    clean = labels == 0
    return {
        "n": len(labels),
        "clean": int(clean.sum()),
        "threshold": threshold,
        "agreement": float(np.mean(called == called_after)),
        "mean_change": float(changes.mean()),
        "p99_change": float(np.quantile(changes, 0.99)),
        "largest_change": float(changes.max()),
        "mean_signed_change": float(np.mean(after - before)),
        "mean_signed_log_odds": float(log_odds_changes(before, after).mean()),
        "flips": {
            name: _flips(called[labels == label], called_after[labels == label])
            for label, name in enumerate(LABELS)
        },
        "false_alarms": (int(np.sum(called & clean)), int(np.sum(called_after & clean))),
        "missed": (int(np.sum(~called & ~clean)), int(np.sum(~called_after & ~clean))),
        "mcnemar": mcnemar(called == (labels == 1), called_after == (labels == 1)),
    }


def _require(labels: Labels, before: Scores, after: Scores) -> None:
    if not len(labels) or not labels.shape == before.shape == after.shape:
        raise ValueError(
            f"expected labels and two scores of the same photos, got shapes {labels.shape}, "
            f"{before.shape}, {after.shape}"
        )
    for name, scores in (("reference", before), ("quantized", after)):
        if not ((scores >= 0) & (scores <= 1)).all():
            raise ValueError(f"{name}: expected probabilities in [0, 1]")


def _flips(called: npt.NDArray[np.bool_], called_after: npt.NDArray[np.bool_]) -> Flips:
    return Flips(int(np.sum(called & ~called_after)), int(np.sum(~called & called_after)))


def _plain_intervals(report: Comparison) -> dict[str, Interval]:
    """Those of counts: exact, or with a width even where nothing changed."""
    same = report.n - report.corrosion_missed - report.corrosion_added
    found = {"agreement": exact_interval(same, report.n)}
    clean, corroded = (report.flips[label] for label in LABELS)
    if report.clean:
        rise = rate_drop_interval(clean.added, clean.missed, report.clean)
        found["false_alarm_rise"] = rise
    if count := report.n - report.clean:
        found["miss_rise"] = rate_drop_interval(corroded.missed, corroded.added, count)
    return found


def _paired_intervals(
    labels: Labels, before: Scores, after: Scores, threshold: float
) -> dict[str, Interval]:
    right, right_after = ((s >= threshold) == (labels == 1) for s in (before, after))
    return {
        "accuracy_drop": accuracy_drop_interval(labels, right, right_after),
        "auc_drop": auc_drop_interval(labels, before, after),
        "mean_change": mean_change_interval(labels, np.abs(after - before)),
    }


def _checks(report: DriftReport, intervals: bool) -> tuple[Check, ...]:
    ci95 = dict(report.ci95)
    if intervals:  # a bootstrap cannot see what few photos did not show
        test = report.mcnemar
        ci95["accuracy_drop"] = rate_drop_interval(test.lost, test.won, report.n)
    names = ("accuracy_drop", "auc_drop", "mean_change", "largest_change", "agreement")
    return tuple(
        judge_largest(report.limits, report.largest_change, report.n)
        if name == "largest_change" and intervals
        else judge(report.limits, name, getattr(report, name), report.n, ci95.get(name))
        for name in names
    )


def _alarm_check(report: Comparison) -> tuple[Check, ...]:
    if not report.clean:
        return ()
    name = "false_alarm_rise"
    return (
        judge(report.limits, name, report.false_alarm_rise, report.clean, report.ci95.get(name)),
    )
