"""The pages of the trainer: a run, an evaluation; and the tables they share with the terminal."""

from collections.abc import Mapping
from typing import Any

from corrosion_edge.confidence import Confidence
from corrosion_edge.metrics import Metrics
from corrosion_edge.report import Block, Figure, Page, Section, Table, Text, render
from corrosion_edge.trainer.robustness import SIGNIFICANT, Robustness
from corrosion_edge.trainer.slices import REFERENCE

__all__ = [
    "confidence_lines",
    "confidence_origin",
    "evaluation_page",
    "metrics_rows",
    "paper_rows",
    "training_page",
]

_NAMES = {"accuracy": "accuracy", "auc": "ROC-AUC", "precision": "precision",
          "recall": "recall", "specificity": "specificity", "f1": "F1",
          "log_loss": "log loss", "brier": "Brier score"}  # fmt: skip
_PERCENT = 100


def metrics_rows(metrics: Metrics) -> list[tuple[str, str, str]]:
    """Name, value and 95 % confidence interval of each figure, as text."""
    rows = []
    for name, title in _NAMES.items():
        low, high = metrics.ci95[name]
        rows.append((title, f"{getattr(metrics, name):.4f}", f"{low:.3f} to {high:.3f}"))
    return rows


def paper_rows(metrics: Metrics) -> list[tuple[str, str]]:
    """Precision, recall and F1 as the paper counts them: no-corrosion is its positive class."""
    return [(_NAMES[name], f"{value:.4f}") for name, value in metrics.no_corrosion.items()]


def confidence_lines(metrics: Metrics) -> list[str]:
    """Sentences on calibration, the verdicts at the recall threshold, and abstaining."""
    lines = [
        f"Calibration error {metrics.ece:.4f}; perfect scores on as many photos would stay below "
        f"{metrics.ece_if_calibrated:.4f} in 95 % of cases."
    ]
    if (at := metrics.at_recall) is not None:
        low, high = at.ci95["recall"]
        lines.append(
            f"From {at.threshold:.3f}, chosen for recall {at.target:g}: recall {at.recall:.4f} "
            f"(95 % {low:.3f} to {high:.3f}), precision {at.precision:.4f}, specificity "
            f"{at.specificity:.4f}; {at.missed} missed, {at.false_alarms} false alarms."
        )
    if (band := metrics.abstain) is not None:
        right = "none" if band.accuracy is None else f"{band.accuracy:.4f}"
        lines.append(
            f"Unsure from {band.low:.3f} to {band.high:.3f}: {band.unsure} of {metrics.n} photos, "
            f"{_PERCENT * band.share:.1f} %. Of the other {band.decided}, right: {right}; "
            f"{band.missed} missed, {band.false_alarms} false alarms."
        )
    return lines


def confidence_origin(confidence: Confidence | None) -> str:
    """A sentence on where threshold and band of a model come from, or that it has none."""
    if confidence is None:
        return "The model carries no threshold for a stated recall and no abstain band."
    before, after = confidence.ece_before, confidence.ece_after
    band = "" if confidence.unsure else " No score is unsure."
    remark = f" {confidence.remark}." if confidence.remark else ""
    return (
        f"Recall threshold ({confidence.recall_target:g}) and abstain band "
        f"({_PERCENT * confidence.alpha:g} % of either class beyond it) were chosen on "
        f"{confidence.n} {confidence.on} photos, {confidence.corroded} of them corroded. "
        f"Temperature {confidence.temperature:.3f}; calibration error on those photos "
        f"{before:.4f} without it, {after:.4f} as delivered."
        f"{band}{remark}"
    )


def training_page(
    info: Mapping[str, Any], metrics: Mapping[str, Metrics], pictures: Mapping[str, bytes]
) -> str:
    """One self-contained page about a run; ``info`` may hold its ``confidence``."""
    last = list(metrics)[-1]
    sections = [
        Section(f"Measured on the {name} photos", _judgement(m)) for name, m in metrics.items()
    ]
    if info.get("confidence"):
        origin = confidence_origin(Confidence.from_dict(info["confidence"]))
        sections.append(Section("Thresholds and calibration", [Text(origin)]))
    sections.append(Section("Pictures", _figures(pictures, last)))
    sections.append(Section("Data", [_data_table(info["data"])]))
    sections.append(Section("To run it again", [_facts(info), Text(str(info["recipe_text"]))]))
    title = f"Training run: {info['backbone']}, recipe {info['recipe']}"
    return render(Page(title, str(info["finished_at"]), sections))


def evaluation_page(
    model: str,
    what: str,
    metrics: Metrics,
    pictures: Mapping[str, bytes],
    *,
    confidence: Confidence | None = None,
    slices: Robustness | None = None,
    backend: str = "",
) -> str:
    """One self-contained page about an evaluation: the figures first, then where it breaks.

    ``backend`` is what the model ran on, empty where that is not told.
    """
    rest = {k: v for k, v in pictures.items() if k != "slices"}
    sections = [
        Section("Figures", _judgement(metrics)),
        Section("Thresholds and calibration", [Text(confidence_origin(confidence))]),
        Section("Pictures", _figures(rest, what)),
    ]
    if slices is not None:
        where = Section("Where it breaks", _slices(slices, pictures["slices"]))
        sections.insert(1, where)
    ran_on = f"; the model ran on {backend}" if backend else ""
    return render(Page(f"Evaluation of {model}", f"{what}{ran_on}", sections))


def _judgement(metrics: Metrics) -> list[Block]:
    c = metrics.confusion
    return [
        Text(_headline(metrics)),
        *[Text(line) for line in confidence_lines(metrics)],
        Table(("figure", "value", "95 % interval"), metrics_rows(metrics),
              f"{metrics.n} photos, corrosion is positive from a score of {metrics.threshold:g}; "
              "Wilson's interval, for AUC, F1, log loss and Brier score a stratified bootstrap"),
        Table(("truth", "called corrosion", "called no corrosion"),
              [("corrosion", str(c.true_positive), str(c.false_negative)),
               ("no corrosion", str(c.false_positive), str(c.true_negative))],
              "Counts of photos"),
        Table(("figure", "value"), paper_rows(metrics),
              "The same verdicts as the paper counts them: no corrosion is positive"),
    ]  # fmt: skip


def _headline(metrics: Metrics) -> str:
    low, high = metrics.ci95["accuracy"]
    c = metrics.confusion
    return (
        f"Accuracy {metrics.accuracy:.4f} (95 % {low:.3f} to {high:.3f}) on {metrics.n} photos at "
        f"{metrics.threshold:.3g}: {c.false_negative} corroded ones missed, {c.false_positive} "
        "false alarms."
    )


def _slices(slices: Robustness, picture: bytes) -> list[Block]:
    caption = (
        "Accuracy with its 95 % band, recall and specificity in each slice; the dotted line is "
        "the photo as it is, a ring the mildest level with a significant fall"
    )
    how = (
        f"{slices.n} photos at {slices.threshold:.3g}, each scaled to {REFERENCE} px on its longer "
        f"side before it is altered, so the plain figures may differ a "
        "little from those above. A fall is significant where McNemar's exact test of the "
        f"verdicts has p < {SIGNIFICANT:g}; each level is tested by itself."
    )
    head = ("slice", "level", "accuracy", "95 %", "recall", "specificity", "ROC-AUC", "change", "p")
    rows = [("plain", "", *_slice_cells(slices.plain))]
    rows += [
        (curve.slice.title, curve.slice.tick(level.level), *_slice_cells(level))
        for curve in slices.curves
        for level in curve.levels
    ]
    table = Table(head, rows, "Change: mean absolute change of the probability; p: McNemar's")
    return [Text(slices.sentence), Figure(picture, caption, caption), Text(how), table]


def _slice_cells(level: Any) -> tuple[str, ...]:
    low, high = level.ci95["accuracy"]
    values = (level.recall, level.specificity, level.auc, level.mean_change)
    cells = [f"{value:.3f}" for value in values]
    return (
        f"{level.accuracy:.3f}",
        f"{low:.3f} to {high:.3f}",
        *cells,
        "<0.001" if level.p < 0.001 else f"{level.p:.3f}",
    )


def _figures(pictures: Mapping[str, bytes], what: str) -> list[Block]:
    captions = {
        "learning_curves": "Loss and accuracy on the training and validation photos",
        "reliability": f"Reliability, {what} photos: bins of equal mass with Wilson's intervals, "
        "and the scores beneath",
        "confusion_matrix": f"Confusion matrix, {what} photos",
        "roc": f"ROC curve, {what} photos",
    }
    return [Figure(png, captions[name], captions[name]) for name, png in pictures.items()]


def _data_table(data: Mapping[str, Any]) -> Table:
    rows = [
        (name, str(counts["corrosion"]), str(counts["no-corrosion"]))
        for name, counts in data["photos"].items()
    ]
    junk = ", ".join(f"{n} {kind}" for kind, n in data["passed_over"].items()) or "nothing"
    caption = f"Photos used; passed over: {junk}; unreadable: {len(data['unreadable'])}"
    return Table(("split", "corrosion", "no corrosion"), rows, caption)


def _facts(info: Mapping[str, Any]) -> Table:
    plain = {k: v for k, v in info.items() if not isinstance(v, Mapping | list)}
    plain.pop("recipe_text", None)
    versions = ", ".join(f"{k} {v}" for k, v in info["versions"].items())
    chosen = ", ".join(f"{k}: {v}" for k, v in info["chosen"].items()) or "nothing"
    rows = [(k, str(v)) for k, v in plain.items()]
    rows += [("chosen on validation", chosen), ("versions", versions)]
    rows += [("data fingerprint", info["data"]["fingerprint"])]
    return Table(("what", "value"), rows, "")
