"""Precisions on the page about a conversion and on the terminal."""

from collections.abc import Iterator
from typing import Final

from corrosion_edge.benchmarks.wording import ms
from corrosion_edge.precision import PRECISIONS
from corrosion_edge.quantize.ladder.ladder import Rung
from corrosion_edge.quantize.precision.latency import Conditions
from corrosion_edge.quantize.precision.names import PLAIN
from corrosion_edge.quantize.precision.side_by_side import Row, SideBySide
from corrosion_edge.report import Block, Section, Table, Text

__all__ = ["comparison_section", "diagnosis_section", "lines"]

_COST: Final = ("conversion", "bytes", "p50", "p90", "× plain", "valid")
_DRIFT: Final = ("conversion", "mean change", "99th percentile", "largest", "same verdict",
                 "accuracy", "AUC")  # fmt: skip
_SIZE: Final = (
    "Bytes are those of the TFLite file as --precision writes it, without manifest and golden "
    "pictures."
)


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
    if void := _void(found):
        blocks.append(
            Text("\n".join(("These latencies are void, measure again:", *void)), "warning")
        )
    blocks += [
        Table(_COST, [cost_row(row, conditions) for row in done], f"{conditions.sentence} {_SIZE}"),
        Table(_DRIFT, [drift_row(row) for row in done], _drift_caption(found)),
        Table(("conversion", "what is rounded"), [(_title(row), _what(row)) for row in done]),
    ]
    blocks += [Text(f"{row.name}: {row.failed}.", "warning") for row in found.rows if row.failed]
    return Section("Precisions side by side", blocks)


def cost_row(row: Row, conditions: Conditions) -> tuple[str, ...]:
    """Name and the figures of ``_COST``; as text."""
    latency = row.latency
    assert latency is not None
    valid = "void" if conditions.void or latency.void else "yes"
    times = (ms(latency.p50_ms), ms(latency.p90_ms), f"{latency.ratio:.2f}")
    return (_title(row), f"{row.bytes:,}", *times, valid)


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
    costs = [cost_row(row, found.conditions) for row in done]
    drifts = [drift_row(row)[1:] for row in done]
    rows = [
        (*_COST, *_DRIFT[1:]),
        *((*one, *two) for one, two in zip(costs, drifts, strict=True)),
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        first, *others = (c.rjust(w) if i else c.ljust(w)
                          for i, (c, w) in enumerate(zip(row, widths, strict=True)))  # fmt: skip
        yield f"  {'  '.join((first, *others))}"
    yield f"  {_drift_caption(found)}"
    yield f"  {found.conditions.sentence}"
    yield from (f"  void: {reason}" for reason in _void(found))
    yield from (f"  {row.name}: {row.failed}" for row in found.rows if row.failed)


def _introduction(found: SideBySide) -> str:
    taken = next(_title(row) for row in found.rows if row.taken)
    return (
        f"The conversion that this page is about, {taken}, beside others of the same network, "
        "which were measured and thrown away."
    )


def _drift_caption(found: SideBySide) -> str:
    report = found.reference
    return (
        f"Against the float model on {report.n} validation photos; float has an accuracy of "
        f"{report.reference.accuracy:.4f} and an AUC of {report.reference.auc:.4f}."
    )


def _void(found: SideBySide) -> list[str]:
    """Why not to trust the latencies: reasons that touch all, then those of single rows."""
    timed = [row for row in found.rows if row.latency is not None]
    alone = [f"{row.name}: {r}" for row in timed if row.latency for r in row.latency.void]
    return [*(f"all: {reason}" for reason in found.conditions.void), *alone]


def _title(row: Row) -> str:
    name = row.name if row.name in PRECISIONS else f"int8, {row.name}"
    return f"{name} (taken)" if row.taken else name


def _what(row: Row) -> str:
    how = ", by TensorFlow's converter alone" if row.name == PLAIN else ""
    return f"{PRECISIONS[row.precision]}{how}"
