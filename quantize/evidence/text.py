"""What the page and the terminal say of a comparison, as rows and sentences."""

from corrosion_edge.intervals import Interval
from corrosion_edge.prediction import CORROSION, NO_CORROSION
from corrosion_edge.quantize.evidence.comparison import Comparison, DriftReport
from corrosion_edge.quantize.evidence.limits import Check
from corrosion_edge.quantize.evidence.sets import Evidence

__all__ = [
    "change_rows",
    "figure_rows",
    "headline",
    "limit_rows",
    "mcnemar_sentence",
    "unsure_sentence",
    "verdict_rows",
]

_TITLES = {"accuracy": "accuracy", "precision": "precision", "recall": "recall", "f1": "F1",
           "auc": "ROC-AUC", "ece": "ECE"}  # fmt: skip
_LEAST_P = 0.001


def headline(evidence: Evidence) -> str:
    """The verdict in a sentence."""
    if evidence.broken:
        return f"Beyond the limits: {'; '.join(evidence.broken)}."
    return f"All {len(evidence.checks)} limits are kept."


def unsure_sentence(evidence: Evidence) -> str:
    """Which verdicts on limits the photos are too few for; empty if none."""
    unsure = [f"{c.title} ({where})" for where, c in evidence.checks if c.certain is False]
    if not unsure:
        return ""
    return f"Too few photos to tell which side of its limit it is on: {', '.join(unsure)}."


def figure_rows(report: DriftReport) -> list[tuple[str, str, str, str, str]]:
    """Figure, float, int8, int8 minus float, its 95 % interval where there is one; as text."""
    rows = []
    for name, title in _TITLES.items():
        before, after = getattr(report.reference, name), getattr(report.quantized, name)
        drop = report.ci95.get(f"{name}_drop")
        interval = _span((-drop[1], -drop[0]), signed=True) if drop else ""
        rows.append((title, f"{before:.4f}", f"{after:.4f}", _signed(after - before), interval))
    return rows


def change_rows(report: Comparison) -> list[tuple[str, str, str]]:
    """What is measured, its value, its 95 % interval where there is one; as text."""
    ci95 = {name: _span(interval) for name, interval in report.ci95.items()}
    return [
        ("same verdict", f"{report.agreement:.4f}", ci95.get("agreement", "")),
        ("mean change", f"{report.mean_change:.4f}", ci95.get("mean_change", "")),
        ("99th percentile of the change", f"{report.p99_change:.4f}", ""),
        ("largest change", f"{report.largest_change:.4f}", ""),
        (f"mean of {report.converted} − float", _signed(report.mean_signed_change), ""),
        ("the same in log-odds", _signed(report.mean_signed_log_odds), ""),
    ]


def verdict_rows(report: Comparison) -> list[tuple[str, ...]]:
    """For each class: photos, wrong in float and int8, turned to no corrosion and to corrosion.

    The last two are the rise of the share that is wrong, and its 95 % interval.
    """
    rows: list[tuple[str, ...]] = []
    for label, title in ((CORROSION, "corrosion: missed"), (NO_CORROSION, "clean: false alarms")):
        alarms = label == NO_CORROSION
        count = report.clean if alarms else report.n - report.clean
        if not count:
            continue
        before, after = report.false_alarms if alarms else report.missed
        flips = report.flips[label]
        interval = report.ci95.get("false_alarm_rise" if alarms else "miss_rise")
        rows.append((
            title, str(count), str(before), str(after), str(flips.missed), str(flips.added),
            _signed((after - before) / count), _span(interval, signed=True) if interval else "",
        ))  # fmt: skip
    return rows


def limit_rows(evidence: Evidence) -> list[tuple[str, str, str, str, str, str]]:
    """Limit, set and photos, value, its 95 % interval, what is allowed, verdict; as text."""
    return [
        (
            check.title,
            f"{where}, {check.n}",
            f"{check.value:.4f}",
            _check_interval(check),
            f"{'≥' if check.at_least else '≤'} {check.limit:g}",
            check.verdict,
        )
        for where, check in evidence.checks
    ]


def mcnemar_sentence(report: Comparison) -> str:
    """How many verdicts turned wrong and right, and whether that is more than chance."""
    test = report.mcnemar
    p = f"< {_LEAST_P}" if test.p < _LEAST_P else f"= {test.p:.3f}"
    return (
        f"Right only in float: {test.lost}; right only in {report.converted}: {test.won} "
        f"(McNemar's exact test: p {p})."
    )


def _check_interval(check: Check) -> str:
    signed = check.name in ("accuracy_drop", "auc_drop", "false_alarm_rise")
    return _span(check.ci95, signed=signed) if check.ci95 else "–"


def _span(interval: Interval, *, signed: bool = False) -> str:
    low, high = (_signed(end) if signed else f"{end:.4f}" for end in interval)
    return f"{low} to {high}"


def _signed(value: float) -> str:
    text = f"{value:+.4f}"
    return text[1:] if float(text) == 0 else text
