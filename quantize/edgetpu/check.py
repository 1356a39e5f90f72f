"""The whole verdict on one model: which ops run on the TPU, where it splits, what to change."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from corrosion_edge.errors import BundleError
from corrosion_edge.quantize.edgetpu.graph import Graph, Op, read
from corrosion_edge.quantize.edgetpu.partition import first_subset
from corrosion_edge.quantize.edgetpu.problems import Problem, cache_problems, edge_problems
from corrosion_edge.quantize.edgetpu.rules import Maps, Verdict, judge

__all__ = ["COMPILER", "CheckedOp", "Place", "Report", "check"]

COMPILER: Final = "16.0"
"""The last release of the compiler (2021), which the rules describe."""

_ONE_RUN: Final = "https://coral.ai/docs/edgetpu/models-intro/#compiling"
_CPU: Final = "cpu"

Place = Literal["edgetpu", "cpu", "unknown"]


@dataclass(frozen=True, slots=True)
class CheckedOp:
    """One op: where it runs, and whether it maps by itself (``maps``).

    An op that maps by itself runs on the CPU all the same behind the split; then ``blocked_by`` is
    the index of the op that sent it there.
    """

    index: int
    op: str
    version: int
    runs_on: Place
    maps: Maps
    rule: str
    source: str
    change: str | None = None
    blocked_by: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The verdict on a model; ops in order of execution.

    ``first_split`` is the index of the first op that does not surely run on the TPU.
    ``cpu_before`` and ``cpu_behind`` are indexes of ops on the CPU that feed the TPU's part, and
    that depend on it. ``parameters_bytes`` counts the constants that ops on the TPU read.
    ``compiles`` is false where the compiler refuses the file.
    """

    name: str
    ops: tuple[CheckedOp, ...]
    cpu_before: tuple[int, ...]
    cpu_behind: tuple[int, ...]
    parameters_bytes: int
    problems: tuple[Problem, ...]
    compiles: bool = True

    @property
    def cpu_ops(self) -> int:
        """How many ops run on the CPU."""
        return self._count("cpu")

    @property
    def unknown_ops(self) -> int:
        """How many ops may run on either."""
        return self._count("unknown")

    @property
    def edgetpu_ops(self) -> int:
        """How many ops surely run on the TPU."""
        return self._count("edgetpu")

    @property
    def first_split(self) -> int | None:
        """The first op that does not surely run on the TPU."""
        return next((op.index for op in self.ops if op.runs_on != "edgetpu"), None)

    def passes(self, allow_cpu: int = 0) -> bool:
        """Whether at most ``allow_cpu`` ops run on the CPU; an unknown one counts as such."""
        return self.compiles and self.cpu_ops + self.unknown_ops <= allow_cpu

    def _count(self, place: Place) -> int:
        return sum(op.runs_on == place for op in self.ops)


def check(model: bytes, name: str = "the model") -> Report:
    """What the Edge TPU compiler would do with a TFLite model, from the file alone.

    ``name`` is for the messages. Raises :class:`BundleError` on a file that is no TFLite model.
    """
    graph = read(model, name)
    try:
        verdicts = [judge(op) for op in graph.ops]
    except BundleError as error:
        raise BundleError(f"{name}: {error}") from error
    places = _places(graph, verdicts)
    size = _parameters(graph, places)
    return Report(
        name=name,
        ops=_checked(graph, verdicts, places),
        cpu_before=_before(graph, places),
        cpu_behind=_behind(graph, places),
        parameters_bytes=size,
        problems=(*edge_problems(graph), *cache_problems(size)),
        compiles=not any(v.refused for v in verdicts),
    )


def _places(graph: Graph, verdicts: list[Verdict]) -> dict[int, Place]:
    if any(v.refused for v in verdicts):
        return {op.index: _CPU for op in graph.ops}
    # Twice: with the unknown ops mapped, and with them not. Where both agree, the place is sure.
    most = first_subset(graph.ops, lambda op: verdicts[op.index].maps != "no")
    least = first_subset(graph.ops, lambda op: verdicts[op.index].maps == "yes")
    both, either = most & least, most | least
    return {
        op.index: "edgetpu" if op.index in both else "unknown" if op.index in either else _CPU
        for op in graph.ops
    }


def _checked(
    graph: Graph, verdicts: list[Verdict], places: Mapping[int, Place]
) -> tuple[CheckedOp, ...]:
    blockers = _blockers(graph, verdicts)
    return tuple(
        _one(op, verdicts[op.index], places[op.index], blockers[op.index]) for op in graph.ops
    )


def _one(op: Op, verdict: Verdict, place: Place, blocker: "_Blocker | None") -> CheckedOp:
    blocked = blocker if verdict.maps == "yes" and place != "edgetpu" else None
    return CheckedOp(
        index=op.index,
        op=op.title,
        version=op.version,
        runs_on=place,
        maps=verdict.maps,
        rule=blocked.text() if blocked else verdict.rule,
        source=blocked.source() if blocked else verdict.source,
        change=verdict.change,
        blocked_by=blocked.op.index if blocked else None,
    )


@dataclass(frozen=True, slots=True)
class _Blocker:
    """What keeps ops off the TPU that would map by themselves."""

    op: Op
    refused: bool
    refusal: str

    def text(self) -> str:
        why = "has the whole file refused" if self.refused else "keeps it off the TPU"
        end = "" if self.refused else ": only one run of ops is compiled"
        return f"maps by itself, but op {self.op.index} ({self.op.title}) {why}{end}"

    def source(self) -> str:
        return self.refusal if self.refused else _ONE_RUN


def _blockers(graph: Graph, verdicts: list[Verdict]) -> "list[_Blocker | None]":
    # For each op: an op for which the whole file is refused, or the nearest one that it depends on
    # and that does not surely map.
    by = [_Blocker(op, v.refused, v.source) for op, v in zip(graph.ops, verdicts, strict=True)]
    refused = next((blocker for blocker in by if blocker.refused), None)
    if refused:
        return [refused] * len(by)
    maker: dict[int, int] = {}
    found: list[_Blocker | None] = []
    for op in graph.ops:
        makers = sorted({maker[t.index] for t in op.inputs if t and t.index in maker})
        own = [by[m] if verdicts[m].maps != "yes" else found[m] for m in makers]
        found.append(next((blocker for blocker in own if blocker), None))
        maker.update((out.index, op.index) for out in op.outputs)
    return found


def _behind(graph: Graph, places: Mapping[int, Place]) -> tuple[int, ...]:
    reached: set[int] = set()
    for op in graph.ops:
        if places[op.index] == "edgetpu" or any(t.index in reached for t in op.inputs if t):
            reached.update(out.index for out in op.outputs)
    return tuple(
        op.index
        for op in graph.ops
        if places[op.index] == _CPU and any(t.index in reached for t in op.inputs if t)
    )


def _before(graph: Graph, places: Mapping[int, Place]) -> tuple[int, ...]:
    needed: set[int] = set()
    found: list[int] = []
    for op in reversed(graph.ops):
        feeds = any(out.index in needed for out in op.outputs)
        if feeds and places[op.index] == _CPU:
            found.append(op.index)
        if feeds or places[op.index] == "edgetpu":
            needed.update(t.index for t in op.inputs if t)
    return tuple(reversed(found))


def _parameters(graph: Graph, places: Mapping[int, Place]) -> int:
    sizes = {
        t.buffer: len(t.data)
        for op in graph.ops
        if places[op.index] != _CPU
        for t in op.inputs
        if t and t.data is not None
    }
    return sum(sizes.values())
