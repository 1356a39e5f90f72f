"""A prediction against what the compiler did, op by op."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from corrosion_edge.network.compiled import left_on_cpu, same_ends
from corrosion_edge.network.graph import read
from corrosion_edge.quantize.edgetpu.check import CheckedOp, Place, Report
from corrosion_edge.quantize.edgetpu.compiler import Log

__all__ = ["Score", "WrongOp", "score"]


@dataclass(frozen=True, slots=True)
class WrongOp:
    """An op that runs elsewhere than the checker said; ``statuses`` are the log's of its kind."""

    index: int
    op: str
    checked: Place
    compiled: Literal["edgetpu", "cpu"]
    rule: str
    source: str
    statuses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """What the compiler did with ``total`` ops: indexes of those it left, and the errors.

    ``settled`` counts the ops of which the checker could not tell: they are no errors.
    """

    total: int
    left: tuple[int, ...]
    wrong: tuple[WrongOp, ...]
    settled: int

    @property
    def mapped(self) -> int:
        """How many ops run on the TPU."""
        return self.total - len(self.left)

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "edgetpu_ops": self.mapped,
            "cpu_ops": len(self.left),
            "left_on_cpu": list(self.left),
            "unknown_settled": self.settled,
            "checker_wrong": [asdict(one) for one in self.wrong],
        }

    def lines(self) -> Iterator[str]:
        """For a terminal."""
        yield f"compiled: {self.mapped} of {self.total} ops on the Edge TPU, {len(self.left)} not"
        if self.settled:
            yield f"{self.settled} ops were unknown to the checker"
        for one in self.wrong:
            log = f"; its log: {'; '.join(one.statuses)}" if one.statuses else ""
            yield (
                f"the checker was wrong on op {one.index} ({one.op}): said {one.checked} "
                f"({one.rule}), it is {one.compiled}{log}"
            )
        if not self.wrong:
            yield "the checker was right about every op that it told"


def score(report: Report, source: bytes, compiled: bytes, log: Log | None = None) -> Score:
    """Hold the report on ``source`` against ``compiled``, a flatbuffer that was made of it.

    Raises :class:`BundleError` if it was not.
    """
    before, after = read(source), read(compiled)
    left = left_on_cpu(before, after)
    same_ends(before, after)
    wrong = tuple(_wrong(report.ops, left, log))
    return Score(len(report.ops), left, wrong, report.unknown_ops)


def _wrong(ops: Sequence[CheckedOp], left: tuple[int, ...], log: Log | None) -> Iterator[WrongOp]:
    stayed = set(left)
    for op in ops:
        place: Literal["edgetpu", "cpu"] = "cpu" if op.index in stayed else "edgetpu"
        if op.runs_on not in ("unknown", place):
            statuses = log.statuses(op.op) if log else ()
            yield WrongOp(op.index, op.op, op.runs_on, place, op.rule, op.source, statuses)
