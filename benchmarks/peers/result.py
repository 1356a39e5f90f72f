"""What one run found: plain values that go to ``result.json`` and back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from statistics import median
from typing import Any

import numpy as np

from corrosion_edge.benchmarks.layout import Unavailable
from corrosion_edge.benchmarks.peers.ratio import Ratio, ratio
from corrosion_edge.errors import DataError

__all__ = ["Block", "Difference", "Result", "Row", "Start"]


@dataclass(frozen=True, slots=True)
class Block:
    """One peer's turn in a round: nanoseconds of each run, processor time of one on average."""

    ns: tuple[int, ...]
    cpu_ns: float

    @property
    def median_ms(self) -> float:
        """Milliseconds of the middle run."""
        return median(self.ns) / 1e6


@dataclass(frozen=True, slots=True)
class Start:
    """A fresh process from its spawn to its first verdict.

    Elapsed and processor time, the latter in steps of the kernel's (10 ms), and the most memory
    it had resident.
    """

    ns: int
    cpu_ns: int
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Row:
    """A peer on a network. ``reason`` is empty where it was measured, else it says why not.

    ``trained`` is whether its file has trained weights, ``converted`` how it was made int8.
    ``invoke``, ``look`` and ``camera`` have a block for each round, ``starts`` one of each process;
    the scores, in [0, 1], are those of the prepared pictures, of the files, and of the frames in
    memory. Results of older versions have no ``camera``, ``camera_scores`` and ``converted``.
    """

    network: str
    trained: bool
    peer: str
    title: str
    reason: str = ""
    runtime: str = ""
    invoke: tuple[Block, ...] = ()
    look: tuple[Block, ...] = ()
    starts: tuple[Start, ...] = ()
    prepared_scores: tuple[float, ...] = ()
    frame_scores: tuple[float, ...] = ()
    camera: tuple[Block, ...] = ()
    camera_scores: tuple[float, ...] = ()
    converted: str = ""

    def times(self, ours: "Row", measure: str, *, cpu: bool = False) -> Ratio:
        """How many times as long as ours, in a measure that both have.

        With ``cpu`` in processor time, which other programs on the machine change less.
        """
        return ratio(*(_series(row, measure, cpu=cpu) for row in (self, ours)))

    def memory(self, ours: "Row") -> Ratio:
        """Peak memory against ours."""
        return ratio(*([s.peak_bytes for s in row.starts] for row in (self, ours)))

    def median_ms(self, measure: str) -> float:
        """Milliseconds, the median of the rounds' medians."""
        return median(_series(self, measure))

    @property
    def busy_cores(self) -> float:
        """Processor time by elapsed time of ``invoke``.

        Above 1 where several cores worked, below where other programs had them meanwhile.
        """
        cpu = sum(block.cpu_ns * len(block.ns) for block in self.invoke)
        return cpu / sum(sum(block.ns) for block in self.invoke)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Row":
        """Read it back (TypeError)."""
        lists = {name: tuple(content.get(name, ()))
                 for name in ("prepared_scores", "frame_scores", "camera_scores")}  # fmt: skip
        blocks = {name: tuple(Block(tuple(b["ns"]), b["cpu_ns"]) for b in content.get(name, ()))
                  for name in ("invoke", "look", "camera")}  # fmt: skip
        starts = tuple(Start(**start) for start in content["starts"])
        return cls(**{**content, **lists, **blocks, "starts": starts})


def _series(row: Row, measure: str, *, cpu: bool = False) -> list[float]:
    if measure == "starts":
        return [(start.cpu_ns if cpu else start.ns) / 1e6 for start in row.starts]
    blocks: tuple[Block, ...] = getattr(row, measure)
    return [block.cpu_ns / 1e6 if cpu else block.median_ms for block in blocks]


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean and largest absolute difference of scores, and how many labels differ."""

    mean: float
    most: float
    labels: int

    @classmethod
    def of(cls, theirs: tuple[float, ...], ours: tuple[float, ...]) -> "Difference":
        """Of the same pictures."""
        a, b = np.asarray(theirs), np.asarray(ours)
        far = np.abs(a - b)
        return cls(float(far.mean()), float(far.max()), int(np.sum((a >= 0.5) != (b >= 0.5))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A run. ``loads`` are the load averages of a minute, one for each round and network."""

    command: str
    started_at: str
    finished_at: str
    machine: Mapping[str, Any]
    threads: int
    rounds: int
    pictures: str
    others_cores: float | Unavailable
    rows: tuple[Row, ...] = field(repr=False)
    loads: tuple[float, ...] = ()

    def ours(self, network: str) -> Row:
        """Our row of a network."""
        return next(row for row in self.rows if row.network == network and row.peer == "ours")

    @property
    def networks(self) -> tuple[str, ...]:
        """In the order of measuring."""
        return tuple(dict.fromkeys(row.network for row in self.rows))

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Result":
        """Read it back (DataError)."""
        try:
            values = {f.name: content[f.name] for f in fields(cls)}
            rows = tuple(Row.from_dict(row) for row in content["rows"])
            return cls(**{**values, "rows": rows, "loads": tuple(content["loads"])})
        except (KeyError, TypeError) as error:
            raise DataError(f"not a result of this benchmark ({error!r})") from None
