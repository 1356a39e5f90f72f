"""Peers that are none: processes that speak the protocol, and results made up."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from corrosion_edge.benchmarks.peers.result import Block, Result, Row, Start
from corrosion_edge.benchmarks.peers.table import Peer

__all__ = ["FakeWay", "command", "peer", "result"]

_SERVE = """
import sys, time
sys.path.insert(0, {here!r})
from corrosion_edge.benchmarks.peers.worker import Desk, serve
from peers_fakes import FakeWay
serve(Desk(lambda: lambda model, threads: FakeWay(model, threads, {offset}, {fails_at})),
      sys.stdin, sys.stdout)
"""


class FakeWay:
    """Scores a picture by its mean, moved by ``offset``; fails at its run ``fails_at``."""

    def __init__(self, model: Path, threads: int, offset: float = 0.0, fails_at: int = 0) -> None:
        self.runtime = f"fake, {threads} threads"
        self._offset, self._left = offset, fails_at

    def given(self, pixels: Any) -> Any:
        return pixels.astype(np.float32)

    def invoke(self, given: Any) -> Any:
        self._left -= 1
        if self._left == 0:
            raise ValueError("out of breath")
        return given.mean() / 255

    def score(self, output: Any) -> float:
        return float(output) + self._offset

    def look(self, path: Path) -> tuple[str, float]:
        return "corrosion", len(path.read_bytes()) % 2 + self._offset

    def frame(self, picture: Any) -> tuple[str, float]:
        assert picture.format.name == "yuv420p"
        return "corrosion", float(picture.to_ndarray(format="gray").mean()) / 255 + self._offset


def command(offset: float = 0.0, fails_at: int = 0) -> list[str]:
    """The worker of a fake."""
    here = str(Path(__file__).parent)
    return [sys.executable, "-c", _SERVE.format(here=here, offset=offset, fails_at=fails_at)]


def peer(name: str, **fields: Any) -> Peer:
    """A peer that needs nothing."""
    return Peer(name, name.title(), "nowhere:Way", "int8.tflite", **fields)


def _row(name: str, factor: float) -> Row:
    blocks = tuple(
        Block(tuple(int(factor * drift * ns) for ns in (9e6, 10e6, 12e6)), factor * 9e6)
        for drift in (1.0, 1.3, 0.9, 2.0, 1.65, 0.95)
    )
    starts = tuple(
        Start(int(factor * ns), int(factor * 3e8), int(factor * 80e6))
        for ns in (5e8, 6e8, 4e8, 5e8, 7e8, 3e8)
    )
    scores = (0.25 * factor, 0.75)
    return Row("default", True, name, name.title(), "", f"{name} 1.0", blocks, blocks, starts,
               scores, scores, blocks, scores, "as it ships")  # fmt: skip


def result() -> Result:
    """Ours, one of half the speed, one that is faster, one that is absent."""
    machine = dict.fromkeys(
        ("board", "cpu", "cores", "governor", "frequency_limits_mhz", "memory_bytes", "os",
         "kernel", "architecture", "python", "numpy", "pillow", "runtime"), "unavailable"
    )  # fmt: skip
    rows = (_row("ours", 1.0), _row("slow", 2.0), _row("quick", 0.8))
    absent = replace(Row("default", True, "gone", "Gone"), reason="not installed: no wheel")
    return Result(command="python -m x", started_at="a", finished_at="b", machine=machine,
                  threads=1, rounds=6, pictures="2 pictures", others_cores=0.5, loads=(1.0, 3.0),
                  rows=(*rows, absent))  # fmt: skip
