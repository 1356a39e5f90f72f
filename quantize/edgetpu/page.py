"""What an Edge TPU would run, as a section of the page about a conversion."""

from collections.abc import Iterator
from typing import Final

from corrosion_edge.quantize.edgetpu.check import COMPILER, CheckedOp
from corrosion_edge.quantize.edgetpu.compiler import PROGRAM
from corrosion_edge.quantize.edgetpu.problems import FITS, STREAMS
from corrosion_edge.quantize.edgetpu.target import Aimed
from corrosion_edge.report import Block, Section, Table, Text

__all__ = ["edgetpu_section"]

_MIB: Final = 2**20
_HEAD: Final = ("op", "kind", "runs on", "why", "what to change", "source")
_CACHE: Final = (
    f"About 8 MB on the chip hold parameters and program. Up to {FITS / _MIB:g} MiB of parameters "
    f"fitted in every log known, more than {STREAMS / _MIB:.1f} MiB in none; what does not fit is "
    "sent again for every picture."
)


def edgetpu_section(aimed: Aimed) -> Section:
    """The verdict, the figures it rests on, and each op that does not map."""
    return Section("Edge TPU", list(_blocks(aimed)))


def _blocks(aimed: Aimed) -> Iterator[Block]:
    yield Text(_verdict(aimed), "warning" if aimed.broken else "good")
    yield Table(("what", "value"), _figures(aimed), _CACHE)
    if off := [op for op in aimed.report.ops if op.runs_on != "edgetpu"]:
        yield Table(_HEAD, [_row(op) for op in off], "Ops that do not surely run on the Edge TPU")
    for problem in aimed.report.problems:
        yield Text(f"{problem.what}: {problem.change} ({problem.source}).", "warning")
    if aimed.score is not None:
        for line in aimed.score.lines():
            yield Text(f"{line[0].upper()}{line[1:]}.", "warning" if "wrong" in line else "plain")


def _verdict(aimed: Aimed) -> str:
    total = len(aimed.report.ops)
    if not aimed.predicted:
        done = f"Compiled by {PROGRAM}: all {total} ops run on the Edge TPU."
        return f"{'; '.join(aimed.broken)}." if aimed.broken else done
    said = aimed.broken or (f"all {total} ops run on the Edge TPU",)
    return f"Predicted, by the rules of {PROGRAM} {COMPILER}, which was not run: {'; '.join(said)}."


def _row(op: CheckedOp) -> tuple[str, ...]:
    kind = f"{op.op} v{op.version}"
    return str(op.index), kind, op.runs_on, op.rule, op.change or "", op.source


def _figures(aimed: Aimed) -> list[tuple[str, str]]:
    report, log = aimed.report, aimed.compiled.log if aimed.compiled else None
    counts = f"{report.edgetpu_ops}, {report.cpu_ops}, {report.unknown_ops}"
    rows = [
        ("predicted ops on the Edge TPU, on the CPU, unknown", counts),
        ("first split", "none" if report.first_split is None else f"op {report.first_split}"),
        ("parameters for the Edge TPU", _size(report.parameters_bytes)),
    ]
    if log is not None:
        rows.append(("of them kept on the chip, by the log", _size(log.on_chip_used)))
        rows.append(("sent for every picture, by the log", _size(log.off_chip_used)))
    return rows


def _size(size: int | None) -> str:
    return "not in the log" if size is None else f"{size / _MIB:.2f} MiB"
