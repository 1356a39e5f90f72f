"""The pages of the trainer: a run, an evaluation; and the tables they share with the terminal."""

from collections.abc import Mapping
from typing import Any

from corrosion_edge.metrics import Metrics
from corrosion_edge.report import Figure, Page, Section, Table, render

__all__ = ["evaluation_page", "metrics_rows", "paper_rows", "training_page"]

_NAMES = {"accuracy": "accuracy", "auc": "ROC-AUC", "precision": "precision",
          "recall": "recall", "f1": "F1"}  # fmt: skip


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


def training_page(
    info: Mapping[str, Any], metrics: Mapping[str, Metrics], pictures: Mapping[str, bytes]
) -> str:
    """One self-contained page about a run."""
    last = list(metrics)[-1]
    sections = [
        Section(f"Measured on the {name} photos", _judgement(m)) for name, m in metrics.items()
    ]
    sections.append(Section("Pictures", _figures(pictures, last)))
    sections.append(Section("Data", [_data_table(info["data"])]))
    sections.append(Section("To run it again", [_facts(info)]))
    title = f"Training run: {info['backbone']}, recipe {info['recipe']}"
    return render(Page(title, str(info["finished_at"]), sections))


def evaluation_page(model: str, what: str, metrics: Metrics, pictures: Mapping[str, bytes]) -> str:
    """One self-contained page about an evaluation."""
    sections = [
        Section("Figures", _judgement(metrics)),
        Section("Pictures", _figures(pictures, what)),
    ]
    return render(Page(f"Evaluation of {model}", what, sections))


def _judgement(metrics: Metrics) -> list[Any]:
    c = metrics.confusion
    return [
        Table(("figure", "value", "95 % interval"), metrics_rows(metrics),
              f"{metrics.n} photos, corrosion is positive from a score of {metrics.threshold:g}; "
              "Wilson's interval, for AUC and F1 a stratified bootstrap"),
        Table(("truth", "called corrosion", "called no corrosion"),
              [("corrosion", str(c.true_positive), str(c.false_negative)),
               ("no corrosion", str(c.false_positive), str(c.true_negative))],
              "Counts of photos"),
        Table(("figure", "value"), paper_rows(metrics),
              "The same verdicts as the paper counts them: no corrosion is positive"),
    ]  # fmt: skip


def _figures(pictures: Mapping[str, bytes], what: str) -> list[Any]:
    captions = {
        "learning_curves": "Loss and accuracy on the training and validation photos",
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
    versions = ", ".join(f"{k} {v}" for k, v in info["versions"].items())
    settings = ", ".join(f"{k}: {v}" for k, v in info["settings"].items())
    rows = [(k, str(v)) for k, v in plain.items()]
    rows += [("settings", settings), ("versions", versions)]
    rows += [("data fingerprint", info["data"]["fingerprint"])]
    return Table(("what", "value"), rows, "")
