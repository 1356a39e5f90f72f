"""Precisions on the page about a conversion and on the terminal."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from corrosion_edge.precision import PRECISIONS
from corrosion_edge.quantize.ladder.ladder import Rung
from corrosion_edge.quantize.ladder.page import rungs_section
from corrosion_edge.quantize.precision.latency import told
from corrosion_edge.quantize.precision.names import PLAIN
from corrosion_edge.quantize.precision.side_by_side import Row, SideBySide
from corrosion_edge.report import Block, Section, Table, Text

__all__ = ["comparison_section", "diagnosis_section", "lines", "more", "sections"]

_COST: Final = ("conversion", "bytes", "p50", "p90", "of plain's p50")
_DRIFT: Final = ("conversion", "mean change", "99th percentile", "largest", "same verdict",
                 "accuracy", "AUC")  # fmt: skip
_SIZE: Final = (
    "Bytes are those of the TFLite file as --precision writes it, without manifest and golden "
    "pictures."
)


def sections(rungs: Sequence[Rung], taken: Rung, compared: SideBySide | None) -> list[Section]:
    """What the page says of how a conversion was made, and of others beside it."""
    searched = taken.name not in PRECISIONS
    first = rungs_section(rungs, taken) if searched else diagnosis_section(taken)
    return [first, comparison_section(compared)] if compared else [first]


def more(rungs: Sequence[Rung], taken: Rung, compared: SideBySide | None) -> dict[str, Any]:
    """The same for the JSON: ``rungs``, the name of the ``rung`` taken, and ``compared``."""
    found = {"rungs": [rung.to_dict() for rung in rungs], "rung": taken.name}
    return found | ({"compared": compared.to_dict()} if compared else {})


def diagnosis_section(rung: Rung) -> Section:
    """What a model of another precision than int8 is for."""
    text = (
        f"This model is {rung.name}: {rung.what}. It was written for diagnosis; what is meant for "
        "a device is int8, for which conversions are searched. Pixels go in as uint8, scores and "
        "map come out as float32."
    )
    return Section("Precision", [Text(text)])


def comparison_section(found: SideBySide) -> Section:
    """Size and latency, drift, and what could not be made, for the page."""
    done = [row for row in found.rows if not row.failed]
    conditions = found.conditions
    blocks: list[Block] = [Text(_introduction(found))]
    blocks += [Text(sentence, "warning") for sentence in _void(found)]
    blocks += [
        Table(_COST, [cost_row(row) for row in done], f"{conditions.sentence} {_SIZE}"),
        Table(_DRIFT, [drift_row(row) for row in done], _drift_caption(found)),
        Table(("conversion", "what is rounded"), [(_title(row), _what(row)) for row in done]),
    ]
    blocks += [Text(f"{row.name}: {row.failed}.", "warning") for row in found.rows if row.failed]
    return Section("Precisions side by side", blocks)


def cost_row(row: Row) -> tuple[str, ...]:
    """Name, bytes, latency at the median and 90th percentile, ratio; as text."""
    assert row.latency is not None
    return (_title(row), f"{row.bytes:,}", *told(row.latency))


def drift_row(row: Row) -> tuple[str, ...]:
    """Name and the figures of ``_DRIFT``; as text."""
    report = row.report
    assert report is not None
    return (
        _title(row),
        *(f"{value:.4f}" for value in (report.mean_change, report.p99_change)),
        f"{report.largest_change:.3f}",
        f"{report.agreement:.2%}",
        f"{report.quantized.accuracy:.4f}",
        f"{report.quantized.auc:.4f}",
    )


def lines(found: SideBySide) -> Iterator[str]:
    """The same for a terminal."""
    done = [row for row in found.rows if not row.failed]
    yield "precisions side by side"
    head = (*_COST[:-1], "of plain", *_DRIFT[1:])
    rows = [head, *((*cost_row(row), *drift_row(row)[1:]) for row in done)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        first, *others = (c.rjust(w) if i else c.ljust(w)
                          for i, (c, w) in enumerate(zip(row, widths, strict=True)))  # fmt: skip
        yield f"  {'  '.join((first, *others))}"
    yield f"  {_drift_caption(found)}"
    yield f"  {found.conditions.sentence}"
    yield from (f"  {sentence}" for sentence in _void(found))
    yield from (f"  {row.name}: {row.failed}" for row in found.rows if row.failed)


def _introduction(found: SideBySide) -> str:
    taken = next(row.name for row in found.rows if row.taken)
    return (
        f"Other conversions of the same network, for comparison: they were measured and thrown "
        f"away, what is delivered is {taken}."
    )


def _drift_caption(found: SideBySide) -> str:
    report = found.reference
    return (
        f"Against the float model on {report.n} validation photos; float has an accuracy of "
        f"{report.reference.accuracy:.4f} and an AUC of {report.reference.auc:.4f}."
    )


def _void(found: SideBySide) -> list[str]:
    reasons = [f"The latencies are void: {reason}." for reason in found.conditions.void]
    for row in found.rows:
        if row.latency is not None:
            reasons += [f"The latency of {row.name} is void: {r}." for r in row.latency.void]
    return reasons


def _title(row: Row) -> str:
    name = row.name if row.name in PRECISIONS else f"int8, {row.name}"
    return f"{name} (taken)" if row.taken else name


def _what(row: Row) -> str:
    how = ", by TensorFlow's converter alone" if row.name == PLAIN else ""
    return f"{PRECISIONS[row.precision]}{how}"
