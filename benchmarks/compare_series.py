"""What two measured configurations have in common that can be compared, series by series."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from corrosion_edge.benchmarks.endurance import Sustained
from corrosion_edge.benchmarks.ratios import Ratio, percentile_ratio
from corrosion_edge.benchmarks.schema import LatencyReport, Result
from corrosion_edge.benchmarks.stats import percentile
from corrosion_edge.benchmarks.void import MIN_RUNS

__all__ = ["Series", "Unit", "Values", "pairs_of", "sustained_of"]

Series = Literal["first verdict", "invoke p50", "invoke p99", "path p50", "path p99",
                 "peak memory", "sustained"]  # fmt: skip
Unit = Literal["ms", "MB", "1/s"]


@dataclass(frozen=True, slots=True)
class Values:
    """A series' values of each process in its unit, of which a percentile is looked at."""

    series: Series
    unit: Unit
    rounds: Sequence[Sequence[float]]
    percent: float = 50.0

    @property
    def value(self) -> float:
        """The percentile of all of them."""
        return percentile([value for part in self.rounds for value in part], self.percent)

    def ratio_to(self, first: "Values") -> Ratio:
        """These by the first's."""
        return percentile_ratio(self.rounds, first.rounds, self.percent)


def pairs_of(
    one: Result, other: Result, runs: tuple[Sustained, Sustained] | None
) -> Iterator[tuple[Values, Values]]:
    """Each series that both have, and throughput of the sustained ``runs`` where there are."""
    first = {values.series: values for values in _values(one)}
    for values in _values(other):
        if values.series in first:
            yield first[values.series], values
    if runs is not None:
        yield _throughput(runs[0]), _throughput(runs[1])


def sustained_of(report: LatencyReport, result: Result) -> Sustained | None:
    """The sustained run of a result's configuration, if there was one."""
    key = (result.model, result.model_sha256, result.threads, result.size)
    found = (r for r in report.sustained if (r.model, r.model_sha256, r.threads, r.size) == key)
    return next(found, None)


def _values(result: Result) -> Iterator[Values]:
    rounds = result.rounds
    yield Values("first verdict", "ms", [[part.start.total_ns / 1e6] for part in rounds])
    invoke = [[ns / 1e6 for ns in part.samples.invoke_ns] for part in rounds]
    path = [[ns / 1e6 for ns in part.samples.path_ns] for part in rounds]
    yield Values("invoke p50", "ms", invoke)
    if tails := sum(map(len, invoke)) >= MIN_RUNS:
        yield Values("invoke p99", "ms", invoke, 99)
    yield Values("path p50", "ms", path)
    if tails:
        yield Values("path p99", "ms", path, 99)
    peaks = [part.peak_memory_bytes for part in rounds]
    known = [[peak / 1e6] for peak in peaks if not isinstance(peak, str)]
    if len(known) == len(peaks):
        yield Values("peak memory", "MB", known)


def _throughput(run: Sustained) -> Values:
    """One run in one process: its seconds are no processes that could be drawn."""
    return Values("sustained", "1/s", [[run.summary.frames_per_second]])
