"""How fast conversions run here, measured side by side by the benchmark's own machinery."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from corrosion_edge.benchmarks.runner import Plan, measure
from corrosion_edge.benchmarks.schema import LatencyReport, Result
from corrosion_edge.benchmarks.void import MIN_RUNS
from corrosion_edge.bundle import Bundle

__all__ = ["THREADS", "Conditions", "Latency", "latencies"]

THREADS: Final = 1
"""One thread: what is compared is arithmetic, not how well work is shared."""

_FRAME: Final = (640, 480)  # the network sees the prepared picture whatever the frame's size


@dataclass(frozen=True, slots=True)
class Latency:
    """One model's invoke alone: median and 90th percentile in ms; ``void``: why not to trust it.

    ``ratio`` is the median divided by that of the model compared with.
    """

    p50_ms: float
    p90_ms: float
    ratio: float
    void: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"p50_ms": self.p50_ms, "p90_ms": self.p90_ms, "ratio_to_plain": self.ratio,
                "void": list(self.void)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Conditions:
    """On what and how it was measured; ``void`` says why no figure is to be trusted, if so."""

    machine: str
    runtime: str
    measured_at: str
    threads: int
    runs: int
    processes: int
    void: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """All of it, for a reader."""
        return (
            f"Invoke alone, measured on {self.measured_at[:10]} on {self.machine}, with "
            f"{self.runtime}, {self.threads} thread: {self.runs} runs each in {self.processes} "
            "processes, the models in turn on the same pictures. These latencies say nothing "
            "about another machine or runtime, and their ratios little."
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {name: getattr(self, name) for name in self.__slots__} | {"void": list(self.void)}


def latencies(
    bundles: Mapping[str, Bundle], base: str, runs: int = MIN_RUNS
) -> tuple[dict[str, Latency], Conditions]:
    """Measure models in turn, in fresh processes; ratios are to the one called ``base``.

    Raises BackendError if one of them ends its process.
    """
    with tempfile.TemporaryDirectory(prefix="corrosion-edge-") as folder:
        paths = {name: Path(folder, f"{name}.tflite") for name in bundles}
        for name, bundle in bundles.items():
            bundle.save(paths[name])
        report = measure(Plan(tuple(paths.values()), (THREADS,), runs, (_FRAME,)))
    results = dict(zip(bundles, report.results, strict=True))
    median = _invoke(results[base])[0]
    return {name: _latency(one, median) for name, one in results.items()}, _conditions(report)


def _latency(result: Result, base: float) -> Latency:
    p50, p90 = _invoke(result)
    return Latency(p50, p90, p50 / base, result.void)


def _invoke(result: Result) -> tuple[float, float]:
    found = result.summary.statistics.invoke
    return found.p50, found.p90


def _conditions(report: LatencyReport) -> Conditions:
    facts = report.machine
    return Conditions(
        machine=f"{facts.architecture} {facts.cpu}, {facts.cores} cores, {facts.os}",
        runtime=report.results[0].backends[0].partition(",")[0],
        measured_at=report.finished_at,
        threads=THREADS,
        runs=report.runs,
        processes=len(report.results[0].rounds),
        void=report.void,
    )
