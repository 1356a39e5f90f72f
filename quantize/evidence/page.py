"""The page about a conversion: the verdict first, then what it rests on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from corrosion_edge.confidence import Confidence
from corrosion_edge.prediction import LABELS
from corrosion_edge.quantize.evidence.comparison import DriftReport
from corrosion_edge.quantize.evidence.flips import flip_blocks
from corrosion_edge.quantize.evidence.models import Look
from corrosion_edge.quantize.evidence.plots import histogram, scatter
from corrosion_edge.quantize.evidence.sets import Compared, Evidence, Scored
from corrosion_edge.quantize.evidence.text import (
    change_rows,
    figure_rows,
    headline,
    limit_rows,
    mcnemar_sentence,
    unsure_sentence,
    verdict_rows,
)
from corrosion_edge.report import Block, Figure, Page, Section, Table, Text, render
from corrosion_edge.trainer.report import confidence_origin

__all__ = ["Subject", "evidence_page"]

_MOST: Final = 20  # largest changes listed
_PRIVATE: Final = "This page shows photos of yours: it is for you, not for publication."
_SCATTER: Final = "Probability of corrosion, one point a photo; dashed: the threshold"
_HISTOGRAM: Final = "Change of the log-odds, photos counted; dotted: the mean"
_CHANGES: Final = (
    "Changes are absolute differences of a photo's two probabilities. Log-odds are taken no nearer "
    "to 0 and 1 than one step of an int8 score, 1/256."
)
_TURNED: Final = ("photos", "number", "wrong in float", "wrong in {}", "turned to no corrosion",
                  "turned to corrosion", "rise of wrong", "95 % interval")  # fmt: skip
_LIMITS: Final = (
    "Drops are float − {0}, rises {0} − float. A limit is kept or broken by the value itself; "
    "where its 95 % interval reaches beyond the limit, the photos cannot tell. Intervals: Bonett "
    "and Price's of paired rates, which few changes do not make too narrow, for accuracy and "
    "false alarms; Clopper and Pearson's for the verdicts; a paired bootstrap for the others. The "
    "largest change has none: 299 photos without a larger one say, with 95 % confidence, that at "
    "most 1 % of photos have one."
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What the page is about: its title, a line under it, and what the scores are worth."""

    title: str
    subtitle: str
    confidence: Confidence | None = None


def evidence_page(
    subject: Subject,
    evidence: Evidence,
    looks: tuple[Look, Look],
    sections: Sequence[Section] = (),
) -> str:
    """One self-contained page; ``looks`` are the float model's and the other's.

    ``sections`` are more of them, which come before the further sets. Reads the photos that it
    shows again.
    """
    data = evidence.data
    whole = [
        Section("In short", list(_in_short(evidence))),
        Section("Limits", [_limits(evidence)]),
        Section(f"Float against {evidence.converted} on {len(data.samples)} {data.name} photos",
                list(_figures(evidence.main, data))),
        Section("Verdicts that turned",
                flip_blocks(data, evidence.main.threshold, looks, evidence.converted)),
        Section("Largest changes", [_largest(data, evidence.converted)]),
        *sections,
        *(Section(f"On {one.scored.name}", list(_further(one, looks))) for one in evidence.further),
        *_worth(subject.confidence, evidence.converted),
    ]  # fmt: skip
    return render(Page(subject.title, subject.subtitle, whole))


def _in_short(evidence: Evidence) -> Iterator[Block]:
    yield Text(headline(evidence), "warning" if evidence.broken else "good")
    if unsure := unsure_sentence(evidence):
        yield Text(unsure, "warning")
    main = evidence.main
    yield Text(
        f"{mcnemar_sentence(main)} Verdicts turned to no corrosion: {main.corrosion_missed}, to "
        f"corrosion: {main.corrosion_added}. Threshold {main.threshold:.4g}."
    )
    yield Text(_PRIVATE)


def _limits(evidence: Evidence) -> Table:
    head = ("limit", "on photos", "value", "95 % interval", "allowed", "verdict")
    return Table(head, limit_rows(evidence), _LIMITS.format(evidence.converted))


def _figures(report: DriftReport, scored: Scored) -> Iterator[Block]:
    name = report.converted
    yield Table(
        ("figure", "float", name, f"{name} − float", "95 % interval"),
        figure_rows(report),
        "Corrosion is positive. Intervals of the difference: paired bootstrap, each class "
        "resampled on its own; where no resample differs, what so few photos may not show",
    )
    yield from _changes(Compared(scored, report))


def _changes(one: Compared) -> Iterator[Block]:
    report = one.report
    yield Table(
        ("probabilities and verdicts", "value", "95 % interval"),
        change_rows(report),
        _CHANGES,
    )
    head = [title.format(report.converted) for title in _TURNED]
    yield Table(head, verdict_rows(report), "Verdicts, by what the photos show")
    yield Figure(scatter(one.scored, report.threshold, report.converted), _SCATTER, _SCATTER)
    yield Figure(histogram(one.scored, report.converted), _HISTOGRAM, _HISTOGRAM)


def _further(one: Compared, looks: tuple[Look, Look]) -> Iterator[Block]:
    report = one.report
    kinds = f"{report.n - report.clean} with corrosion, {report.clean} without"
    yield Text(f"{report.n} photos, {kinds}. {mcnemar_sentence(report)}")
    if isinstance(report, DriftReport):
        yield from _figures(report, one.scored)
    else:
        yield from _changes(one)
    yield from flip_blocks(one.scored, report.threshold, looks, report.converted)


def _largest(scored: Scored, name: str) -> Table:
    order = np.argsort(-np.abs(scored.before - scored.after), kind="stable")[:_MOST]
    rows = [
        (
            scored.place(i),
            LABELS[scored.samples.labels[i]],
            f"{scored.before[i]:.3f}",
            f"{scored.after[i]:.3f}",
            f"{scored.after[i] - scored.before[i]:+.3f}",
        )
        for i in order
    ]
    return Table(("photo", "truth", "float", name, f"{name} − float"), rows)


def _worth(confidence: Confidence | None, name: str) -> list[Section]:
    if confidence is None:
        return []
    band = confidence.unsure
    rows = [
        (f"threshold for recall {confidence.recall_target:g}",
         f"{confidence.recall_threshold:.4f}"),
        ("unsure", f"{band[0]:.4f} to {band[1]:.4f}" if band else "none"),
    ]  # fmt: skip
    table = Table(("what", "value"), rows, confidence_origin(confidence))
    return [Section(f"What the {name} scores are worth", [table])]
