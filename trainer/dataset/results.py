"""Writing an audit: the page, the tables, the summary."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from corrosion_edge.output import csv_text, json_text, make_folder, write
from corrosion_edge.trainer.dataset.audit import Audit, conflicting
from corrosion_edge.trainer.dataset.page import audit_page

__all__ = ["GROUPS_HEAD", "PAIRS_HEAD", "group_rows", "pair_rows", "write_audit"]

PAIRS_HEAD: Final = (
    "path_a", "path_b", "hash_bits", "inliers", "overlap", "turn", "correlation", "agreement",
    "mirrored",
)  # fmt: skip
"""Columns of ``pairs.csv``: two paths below the folder, then the fields of ``Measures``."""

GROUPS_HEAD: Final = ("group", "path", "split", "class", "photos", "both_labels")
"""Columns of ``groups.csv``: one row for each photo that has a version."""


def write_audit(audit: Audit, out: Path) -> None:
    """Write report.html, pairs.csv, groups.csv and audit.json into a folder (OutputError)."""
    make_folder(out)
    write(out / "pairs.csv", csv_text(PAIRS_HEAD, pair_rows(audit)))
    write(out / "groups.csv", csv_text(GROUPS_HEAD, group_rows(audit)))
    write(out / "audit.json", json_text(audit.to_dict()))
    write(out / "report.html", audit_page(audit))


def pair_rows(audit: Audit) -> list[tuple[Any, ...]]:
    """The confirmed pairs, path_a < path_b, sorted."""
    rows = []
    for pair in audit.pairs:
        places = sorted((audit.facts[pair.a].place, audit.facts[pair.b].place))
        m = pair.measures
        numbers = (f"{x:.3f}" for x in (m.overlap, m.turn, m.correlation, m.agreement))
        rows.append((*places, m.hash_bits, m.inliers, *numbers, int(m.mirrored)))
    return sorted(rows)


def group_rows(audit: Audit) -> Iterator[tuple[Any, ...]]:
    """One row of ``GROUPS_HEAD`` for each photo of a group; groups are numbered from 1."""
    for number, group in enumerate(audit.duplicate_groups(), 1):
        for fact in group:
            yield (number, fact.place, fact.photo.split, audit.class_of(fact), len(group),
                   int(conflicting(group)))  # fmt: skip
