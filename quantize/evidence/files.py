"""The evidence as files: JSON, both scores of every photo as CSV, the page."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from corrosion_edge import output
from corrosion_edge.prediction import LABELS
from corrosion_edge.quantize.evidence.models import Look
from corrosion_edge.quantize.evidence.page import Subject, evidence_page
from corrosion_edge.quantize.evidence.sets import Evidence
from corrosion_edge.report import Section

__all__ = ["write_evidence"]


def write_evidence(
    base: Path,
    subject: Subject,
    evidence: Evidence,
    looks: tuple[Look, Look],
    sections: Sequence[Section] = (),
    more: Mapping[str, Any] | None = None,
) -> Path:
    """Write ``base`` with .json, .csv and .html added; returns the page's path (OutputError).

    ``sections`` are added to the page, ``more`` to the JSON.
    """
    page = base.with_name(f"{base.name}.html")
    output.write(
        base.with_name(f"{base.name}.json"), output.json_text(evidence.to_dict() | dict(more or {}))
    )
    output.write(base.with_name(f"{base.name}.csv"), _csv(evidence))
    output.write(page, evidence_page(subject, evidence, looks, sections))
    return page


def _csv(evidence: Evidence) -> str:
    rows = [
        (where, path, LABELS[label], *scores) for where, path, label, *scores in evidence.rows()
    ]
    head = ("set", "path", "label", "float_score", f"{evidence.converted}_score")
    return output.csv_text(head, rows)
