"""The page about a site's training: before and after on both sets, what was tried, how."""

from collections.abc import Mapping
from typing import Any, Literal

from matplotlib.figure import Figure as Canvas

from corrosion_edge.prediction import LABELS
from corrosion_edge.report import Block, Figure, Page, Section, Table, Text, png_of, render
from corrosion_edge.trainer.report import confidence_origin
from corrosion_edge.trainer.site.figures import Change, Figures
from corrosion_edge.trainer.site.outcome import TITLES, Outcome, Pair

__all__ = ["HOW", "before_and_after", "change_rows", "headline", "site_page"]

HOW = {
    "cross-validation": "Too few photos to set some aside: each one of the site is judged by a "
    "model that did not learn from it, {folds} folds in turn; the choice between candidates is "
    "made anew without the fold it judges. The model itself learned from all of them. These are "
    "the figures of the procedure, and the model has no photo of the site left that it never saw.",
    "held out": "A third of the site's photos was set aside before all else: the model neither "
    "learned from them nor was it chosen by them.",
    "given": "The site's photos came split: its validation photos judge, and nothing was learned "
    "from them or chosen by them.",
}
"""How the figures on the site came about."""

_NAMES = {"accuracy": "accuracy", "recall": "recall", "specificity": "specificity",
          "auc": "ROC-AUC"}  # fmt: skip
_COLOURS = ((1, "#b3430f"), (0, "#3b6ea5"))
_CAPTION = "Probability of corrosion before and after, one point a photo; lines: the threshold"


def headline(outcome: Outcome) -> str:
    """A sentence on the verdict."""
    if outcome.broken:
        return f"Not delivered: {'; '.join(outcome.broken)}."
    site = outcome.changes["site"]
    said = (
        f"Accuracy on {site.before.n} photos of the site: {site.before.accuracy:.4f} before, "
        f"{site.after.accuracy:.4f} after; {site.won} more are right, {site.lost} no longer "
        f"(McNemar's exact test: p {_p(site.p)})."
    )
    if (old := outcome.changes.get("validation")) is None:
        return f"{said} What was forgotten was not measured."
    return (
        f"{said} On {old.before.n} old validation photos {old.before.accuracy:.4f} before, "
        f"{old.after.accuracy:.4f} after: within the limits."
    )


def change_rows(changes: Mapping[str, Change]) -> list[tuple[str, ...]]:
    """Photos, figure, before with its 95 % interval, after with its, change, p; as text.

    McNemar's p stands beside the accuracy, which is what it tests.
    """
    rows: list[tuple[str, ...]] = []
    for name, change in changes.items():
        for field, title in _NAMES.items():
            before, after = (getattr(side, field) for side in (change.before, change.after))
            if before is None:
                continue
            both = [_with_interval(side, field) for side in (change.before, change.after)]
            p = _p(change.p) if field == "accuracy" else ""
            where = f"{TITLES[name]}, {change.before.n}"
            rows.append((where, title, *both, f"{after - before:+.4f}", p))
        losses = change.before.log_loss, change.after.log_loss
        texts = [f"{loss:.4f}" for loss in losses]
        rows.append((where, "log loss", *texts, f"{losses[1] - losses[0]:+.4f}", ""))
    return rows


def site_page(outcome: Outcome, info: Mapping[str, Any]) -> str:
    """One self-contained page."""
    sections = [
        Section("Before and after", _summary(outcome, info)),
        Section("What was tried", _tried(outcome)),
        Section("Thresholds and calibration", [Text(confidence_origin(outcome.confidence))]),
        Section("Photos", _photos(outcome, info)),
        Section("To run it again", [_facts(info)]),
    ]
    title = f"Trained on a site: {info['backbone']}, from {outcome.parent.run.folder.name}"
    return render(Page(title, str(info["finished_at"]), sections))


def before_and_after(outcome: Outcome, threshold: float) -> bytes:
    """The scores after over those before, a panel for each set; PNG."""
    canvas = Canvas(figsize=(3.6 * len(outcome.pairs), 3.8), layout="constrained")
    panels = canvas.subplots(1, len(outcome.pairs), squeeze=False)[0]
    for axes, (name, pair) in zip(panels, outcome.pairs.items(), strict=True):
        _panel(axes, f"{TITLES[name]}, {len(pair.labels)}", pair, threshold)
    panels[0].set_ylabel("after")
    panels[0].legend(fontsize=8)
    return png_of(canvas)


def _panel(axes: Any, title: str, pair: Pair, threshold: float) -> None:
    axes.plot([0, 1], [0, 1], color="#c8c8c8", linewidth=1)
    axes.axhline(threshold, color="#c8c8c8", linewidth=1, linestyle="--")
    axes.axvline(threshold, color="#c8c8c8", linewidth=1, linestyle="--")
    for label, colour in _COLOURS:
        chosen = pair.labels == label
        axes.plot(pair.before[chosen], pair.after[chosen], "o", markersize=4, alpha=0.6,
                  color=colour, label=LABELS[label])  # fmt: skip
    axes.set_title(title, fontsize=10)
    axes.set_xlabel("before")


def _summary(outcome: Outcome, info: Mapping[str, Any]) -> list[Block]:
    limits = outcome.site["limits"]
    head = ("photos", "figure", "before", "after", "change", "p")
    caption = (
        f"Verdicts at {info['threshold']:g}; 95 % intervals: Wilson's, for AUC a stratified "
        "bootstrap's; p: McNemar's exact test. A model is refused that loses more than "
        f"{limits['auc']:g} of ROC-AUC or {limits['accuracy']:g} of accuracy on old validation"
    )
    picture = before_and_after(outcome, info["threshold"])
    return [
        Text(headline(outcome), _tone(outcome)),
        *[Text(note, "warning") for note in outcome.notes],
        Table(head, change_rows(outcome.changes), caption),
        Text(HOW[outcome.site["measured_by"]].format(folds=outcome.contest.referee.count)),
        Figure(picture, _CAPTION, _CAPTION),
    ]


def _tone(outcome: Outcome) -> Literal["plain", "warning", "good"]:
    if outcome.broken:
        return "warning"
    site = outcome.changes["site"]
    return "good" if site.won > site.lost else "plain"


def _tried(outcome: Outcome) -> list[Block]:
    rows = outcome.contest.rows
    keys = [("loss", "loss"), ("site_log_loss", "site, log loss"),
            ("site_accuracy", "site, accuracy"), ("old_log_loss", "old, log loss"),
            ("old_auc", "old, ROC-AUC"), ("old_accuracy", "old, accuracy")]  # fmt: skip
    keys = [(key, title) for key, title in keys if key in rows[0]]
    chosen = outcome.contest.chosen.name
    cells = [
        (_named(row, chosen), f"{row['trained_weights']:,}", *(f"{row[k]:.4f}" for k, _ in keys))
        for row in rows
    ]
    table = Table(
        ("candidate", "weights trained", *(title for _, title in keys)),
        cells,
        "Photos of the site by the model of the fold that left them out; old validation photos on "
        "average over the folds' models. Loss is the mean of the two log losses",
    )
    return [Text(_rule(chosen)), table]


def _rule(chosen: str) -> str:
    return (
        f"Chosen: {chosen}. Of each kind the candidate of least loss is kept. One that trains more "
        "weights must be better by more than one standard error of the difference over the photos: "
        "few photos warrant little training. Candidates that forget more than the limit are out."
    )


def _named(row: Mapping[str, Any], chosen: str) -> str:
    marks = [" (chosen)"] if row["candidate"] == chosen else []
    marks += [" (forgets)"] if row.get("forgets") else []
    return f"{row['candidate']}{''.join(marks)}"


def _photos(outcome: Outcome, info: Mapping[str, Any]) -> list[Block]:
    site, old = outcome.site, info["data"]
    rows = _counts("site, ", site["photos"]) + _counts("old, ", old["photos"])
    junk = ", ".join(f"{n} {kind}" for kind, n in site["passed_over"].items()) or "nothing"
    caption = f"Site: passed over: {junk}; unreadable: {len(site['unreadable'])}"
    labels = f"Labels of the site: {site['labels']}. {site['different']} photos look different."
    return [Text(labels), Table(("photos", "corrosion", "no corrosion"), rows, caption)]


def _counts(where: str, photos: Mapping[str, Mapping[str, int]]) -> list[tuple[str, str, str]]:
    return [
        (f"{where}{name.replace('_', ' ')}", str(n["corrosion"]), str(n["no-corrosion"]))
        for name, n in photos.items()
    ]


def _facts(info: Mapping[str, Any]) -> Table:
    rows = [(k, str(v)) for k, v in info.items()
            if not isinstance(v, Mapping | list) and k != "recipe_text"]  # fmt: skip
    parent = info["from"]
    rows += [(f"from: {name}", str(parent[name])) for name in ("folder", "model_sha256", "command")]
    rows.append(("site: seed", str(info["site"]["seed"])))
    rows.append(("site: fingerprint", info["site"]["fingerprint"]))
    rows.append(("versions", ", ".join(f"{k} {v}" for k, v in info["versions"].items())))
    return Table(("what", "value"), rows, "")


def _with_interval(figures: Figures, field: str) -> str:
    low, high = figures.ci95[field]
    return f"{getattr(figures, field):.4f} ({low:.3f} to {high:.3f})"


def _p(p: float) -> str:
    return "<0.001" if p < 0.001 else f"{p:.3f}"
