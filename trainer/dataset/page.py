"""The audit as one self-contained page, with the user's own photos on contact sheets."""

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Final

from matplotlib.figure import Figure as Plot

from corrosion_edge.report import Block, Cell, Figure, Page, Section, Table, Text, png_of, render
from corrosion_edge.trainer.dataset.audit import QUANTILES, Audit, conflicting, crossing
from corrosion_edge.trainer.dataset.facts import FEATURES, Facts
from corrosion_edge.trainer.dataset.sheet import COLUMNS, contact_sheet

__all__ = ["DEFINITION", "audit_page", "headline"]

DEFINITION: Final = (
    "Two files are versions of one photo if one can be laid over the other by a flip, a turn, a "
    "change of scale and a shift, so that at least half of the smaller one is covered and the "
    "fine detail there agrees: copies, crops, other sizes, other compression, mirror images, "
    "frames, captions, cut-outs, other brightness or colour. The same thing photographed again, "
    "from another place or at another time, is another photo."
)
"""What the detector calls versions of one photo, for readers."""

_GROUPS: Final = 60  # contact sheets on the page
_MEMBERS: Final = 3 * COLUMNS  # photos on a sheet
_NAMED: Final = 20  # files named in a list


def headline(audit: Audit) -> list[tuple[str, bool]]:
    """The findings in a sentence each, and whether the sentence is a warning."""
    summary = audit.to_dict()
    copies, best = summary["duplicates"], audit.shortcuts[0] if audit.shortcuts else None
    lines = [(f"Photos that can be read: {len(audit.facts):,}.", False)]
    if audit.unreadable:
        lines.append((f"Photos that cannot be read: {len(audit.unreadable):,}.", True))
    for split, others in copies["photos_with_a_version_in"].items():
        if others.get("train") and split != "train":
            lines.append((_leak_line(audit, split, others["train"]), True))
    if copies["label_conflicts"]:
        count = len(copies["label_conflicts"])
        lines.append((f"Groups of versions of one photo with both labels: {count}.", True))
    if best is not None:
        lines.append(_shortcut_line(audit))
    if summary["exif"]["gps"]:
        count = len(summary["exif"]["gps"])
        lines.append((f"Photos that hold the place where they were taken (GPS): {count}.", True))
    return lines


def audit_page(audit: Audit) -> str:
    """Render the page; reads the photos of the groups that it shows again."""
    sections = [
        Section("In short", [Text(t, "warning" if w else "plain") for t, w in headline(audit)]),
        Section("Photos", [_counts(audit), *_files(audit)]),
        Section("Versions of one photo", list(_duplicates(audit))),
        Section("Shortcuts", list(_shortcuts(audit))),
        Section("Sizes", [_sizes(audit)]),
    ]
    subtitle = f"{len(audit.facts)} photos, {', '.join(s or 'not split' for s in audit.splits)}"
    return render(Page(f"Audit of {audit.dataset.root.resolve().name}", subtitle, sections))


def _leak_line(audit: Audit, split: str, leaked: int) -> str:
    count = sum(fact.photo.split == split for fact in audit.facts)
    return (
        f"{leaked} of {count} {split} photos ({leaked / count:.0%}) have a version in train: "
        f"figures on {split} flatter."
    )


def _shortcut_line(audit: Audit) -> tuple[str, bool]:
    rule = audit.shortcuts[0]
    split, accuracy = list(rule.accuracy.items())[-1]
    most = audit.majority[split]
    line = (
        f"One threshold on “{FEATURES[rule.feature]}” alone reaches {accuracy:.3f} accuracy "
        f"({split}); always naming the majority reaches {most:.3f}."
    )
    return line, accuracy > most + 0.1


def _counts(audit: Audit) -> Table:
    rows: list[tuple[Cell, ...]] = []
    grey = [fact for fact in audit.facts if fact.greyscale]
    for split in audit.splits:
        for label in (1, 0):
            there = [f for f in audit.facts if (f.photo.split, f.photo.label) == (split, label)]
            seen = sum((f.photo.split, f.photo.label) == (split, label) for f in grey)
            rows.append((split or "all", audit.dataset.classes[label], len(there), seen))
    return Table(("split", "class", "photos", "greyscale"), rows,
                 "Readable photos; greyscale also where stored as RGB")  # fmt: skip


def _files(audit: Audit) -> Iterator[Block]:
    summary = audit.to_dict()
    turned, cameras = summary["exif"]["turned"], summary["exif"]["cameras"]
    rows = [
        ("passed over", _listed([f"{n} {k}" for k, n in summary["passed_over"].items()])),
        ("formats", _listed([f"{n} {k}" for k, n in summary["formats"].items()])),
        ("colour modes", _listed([f"{n} {k}" for k, n in summary["modes"].items()])),
        ("content of another format than the name says",
         _listed([f"{place} is {kind}" for place, kind in summary["misnamed"].items()])),
        ("turned by EXIF", _listed(turned)),
        ("with GPS position", _listed(summary["exif"]["gps"])),
        ("cameras", _listed([f"{n} × {name}" for name, n in cameras.items()])),
        ("unreadable", _listed(list(audit.unreadable))),
    ]  # fmt: skip
    yield Table(("files", "found"), rows)


def _listed(items: Sequence[str]) -> str:
    shown = ", ".join(items[:_NAMED]) or "none"
    return f"{shown} and {len(items) - _NAMED} more" if len(items) > _NAMED else shown


def _duplicates(audit: Audit) -> Iterator[Block]:
    groups = audit.duplicate_groups()
    copies = audit.to_dict()["duplicates"]
    yield Text(DEFINITION)
    yield Table(
        ("pairs", "groups", "photos in groups", "groups across splits", "groups with both labels",
         "files with the content of another"),
        [(copies["pairs"], copies["groups"], copies["photos"], copies["groups_across_splits"],
          len(copies["label_conflicts"]), copies["identical_files"])],
    )  # fmt: skip
    if len(audit.splits) > 1:
        yield _leak_table(audit)
    if len(groups) > _GROUPS:
        yield Text(f"The first {_GROUPS} of {len(groups)} groups; all are in groups.csv.")
    for number, group in enumerate(groups[:_GROUPS], 1):
        yield _sheet(audit, number, group)


def _leak_table(audit: Audit) -> Table:
    leaks = audit.leaks()
    rows = [
        (one, sum(f.photo.split == one for f in audit.facts),
         *(leaks[one].get(other, "–") for other in audit.splits))
        for one in audit.splits
    ]  # fmt: skip
    head = ("photos of", "photos", *(f"with a version in {split}" for split in audit.splits))
    return Table(head, rows, "Versions of one photo in different splits")


def _sheet(audit: Audit, number: int, group: Sequence[Facts]) -> Figure:
    shown = [
        (fact.photo.path, " · ".join(filter(None, (fact.photo.split, audit.class_of(fact)))),
         PurePosixPath(fact.place).name)
        for fact in group[:_MEMBERS]
    ]  # fmt: skip
    notes = ["both labels"] * conflicting(group) + ["across splits"] * crossing(group)
    more = f", the first {_MEMBERS} of {len(group)}" if len(group) > _MEMBERS else ""
    caption = f"Group {number}: {len(group)} photos{more}" + "".join(f", {n}" for n in notes)
    return Figure(contact_sheet(shown), caption, f"{caption}: {_listed([f.place for f in group])}")


def _shortcuts(audit: Audit) -> Iterator[Block]:
    if not audit.shortcuts:
        yield Text("Train has one class only: no rule can be fitted.")
        return
    yield Text(
        "What one number of a photo and one threshold, fitted on train, already tell. A model can "
        "learn these instead of corrosion: where a rule comes far above the majority, check the "
        "model on photos on which the rule is wrong."
    )
    names = list(audit.shortcuts[0].accuracy)
    rows: list[tuple[Cell, ...]] = [
        (FEATURES[rule.feature],
         f"{'above' if rule.corrosion_above else 'below'} {rule.threshold:.3g}",
         *(f"{rule.accuracy[name]:.3f}" for name in names))
        for rule in audit.shortcuts
    ]  # fmt: skip
    rows.append(
        ("always the majority of train", "", *(f"{audit.majority[name]:.3f}" for name in names))
    )
    yield Table(("number of a photo", "corrosion if", *names), rows, "Accuracy of one threshold")
    yield _plot(audit, names[-1])


def _plot(audit: Audit, name: str) -> Figure:
    rules = sorted(audit.shortcuts, key=lambda rule: rule.accuracy[name])
    plot = Plot(figsize=(8.5, 4.6), layout="constrained")
    axes = plot.add_subplot()
    axes.barh([FEATURES[rule.feature] for rule in rules],
              [rule.accuracy[name] for rule in rules], color="#b3430f", height=0.7)  # fmt: skip
    axes.axvline(audit.majority[name], color="black", linestyle="--", label="always the majority")
    low = min(0.5, *(rule.accuracy[name] for rule in rules))
    axes.set_xlim(max(0, low - 0.05), 1)
    axes.set_xlabel(f"accuracy ({name})")
    axes.grid(axis="x", alpha=0.3)
    axes.legend(loc="lower right")
    text = f"Accuracy of one threshold on one number ({name})"
    return Figure(png_of(plot), text, text)


def _sizes(audit: Audit) -> Table:
    sizes = audit.to_dict()["sizes"]
    rows = [(name, *(_amount(values[q]) for q in QUANTILES)) for name, values in sizes.items()]
    return Table(("", *QUANTILES), rows, "Quantiles over the readable photos")


def _amount(value: float) -> str:
    return f"{value:.2f}" if value < 20 and value != int(value) else f"{value:,.0f}"
