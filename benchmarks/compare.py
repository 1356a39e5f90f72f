"""Reports side by side: what can be compared, and by how much it differs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from corrosion_edge.benchmarks.compare_series import Series, Unit, pairs_of, sustained_of
from corrosion_edge.benchmarks.endurance import Sustained
from corrosion_edge.benchmarks.layout import Count, Positive
from corrosion_edge.benchmarks.ratios import Ratio
from corrosion_edge.benchmarks.schema import LatencyReport, Result
from corrosion_edge.errors import UsageError

__all__ = ["FEW", "Comparison", "Compared", "compare"]

FEW: Final = 5
"""With fewer processes an interval is too narrow, see ``coverage``."""

Reports = Mapping[Path, LatencyReport]
Place = tuple[int, str, str]  # threads, size of the frame, kind of backend


@dataclass(frozen=True, slots=True)
class Compared:
    """One series of one configuration: a value of each, and the second's divided by the first's.

    Of first verdict and peak memory it is the median of the processes, of a sustained run its
    throughput, of the others the percentile that their name says.
    """

    first: str
    second: str
    first_model: str
    second_model: str
    backend: str
    threads: Count
    size: str
    series: Series
    unit: Unit
    first_value: Positive
    second_value: Positive
    ratio: Ratio


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that could be compared, and in ``notes`` what else has to be known of it."""

    rows: tuple[Compared, ...]
    notes: tuple[str, ...]


def compare(reports: Reports, *, across_models: bool = False, void: bool = False) -> Comparison:
    """Each further report against the first one, configuration by configuration.

    Configurations are alike in network, kind of backend, threads and size of the frame; with
    ``across_models`` networks may differ. UsageError for reports on other frames, for void
    ones unless ``void`` allows them, and for a report that has nothing in common with the first.
    """
    (base, first), *others = reports.items()
    rows: list[Compared] = []
    notes: list[str] = []
    for path, report in others:
        _require_same_frames(base, first, path, report)
        pairs = list(_pairs(first, report, across_models))
        if not pairs:
            raise UsageError(_nothing_alike(base, first, path, report, across_models))
        if not void:
            _require_valid(base, first, [one for one, _ in pairs])
            _require_valid(path, report, [other for _, other in pairs])
        for one, other in pairs:
            runs, why = _runs((base, first, one), (path, report, other), void)
            rows += _compared(str(base), str(path), one, other, runs)
            notes += why
        notes += [*_notes(base, first, path, report), *_ran_on(base, path, pairs)]
        notes += _left_over(base, first, path, report, pairs)
    return Comparison(tuple(rows), tuple(dict.fromkeys(notes)))


def _pairs(
    first: LatencyReport, report: LatencyReport, across: bool
) -> Iterator[tuple[Result, Result]]:
    for one in first.results:
        for other in report.results:
            same = across or one.model_sha256 == other.model_sha256
            if same and _place(one) == _place(other):
                yield one, other


def _place(result: Result) -> Place:
    return result.threads, result.size, result.backend_kind


def _compared(
    base: str, path: str, one: Result, other: Result, runs: tuple[Sustained, Sustained] | None
) -> Iterator[Compared]:
    for first, second in pairs_of(one, other, runs):
        yield Compared(
            base, path, one.model_name, other.model_name, one.backend_kind, one.threads, one.size,
            second.series, second.unit, first.value, second.value, second.ratio_to(first),
        )  # fmt: skip


def _runs(
    first: tuple[Path, LatencyReport, Result], second: tuple[Path, LatencyReport, Result],
    void: bool,
) -> tuple[tuple[Sustained, Sustained] | None, list[str]]:  # fmt: skip
    """The sustained runs of a pair, if both can be compared, and what has to be said of them."""
    (base, _, _), (path, _, result) = first, second
    one, other = (sustained_of(report, result) for _, report, result in (first, second))
    where = f"{result.model_name}, {_told(result)}, sustained"
    if one is None or other is None:
        return None, []
    if not void and (why := one.void or other.void):
        bad = base if one.void else path
        return None, [f"{bad}: {where}: void ({why[0]}), so it is not compared; see --void"]
    unlike = [
        f"{name} {b} against {a} in {base}"
        for name, a, b in (("rate", one.rate, other.rate), ("minutes", one.minutes, other.minutes))
        if a != b
    ]
    notes = [f"{path}: {where}: {'; '.join(unlike)}"] if unlike else []
    return (one, other) if one.rate == other.rate else None, notes


def _require_same_frames(
    base: Path, first: LatencyReport, path: Path, report: LatencyReport
) -> None:
    if report.pictures != first.pictures:
        other = "others" if str(report.pictures) == str(first.pictures) else str(first.pictures)
        raise UsageError(
            f"{path}: measured on {report.pictures}, and {base} on {other}; only runs on the same "
            "pictures can be compared"
        )
    if report.pixel_format != first.pixel_format:
        raise UsageError(
            f"{path}: measured on frames in {report.pixel_format}, and {base} in "
            f"{first.pixel_format}; only runs with the same --pixel-format can be compared"
        )


def _require_valid(path: Path, report: LatencyReport, results: Sequence[Result]) -> None:
    reasons = [reason for result in results for reason in report.void_of(result)]
    if reasons:
        raise UsageError(
            f"{path}: its figures are void ({reasons[0]}); measure again, or compare it all the "
            "same with --void"
        )


def _nothing_alike(
    base: Path, first: LatencyReport, path: Path, report: LatencyReport, across: bool
) -> str:
    networks = {r.model_sha256 for r in first.results} & {r.model_sha256 for r in report.results}
    if not networks and not across:
        return (
            f"{path}: its networks are not those of {base}; use --across-models to compare other "
            "networks with each other"
        )
    told = (", ".join(dict.fromkeys(map(_told, r.results))) for r in (report, first))
    return f"{path}: nothing in it is alike in {base} ({next(told)} against {next(told)})"


def _told(result: Result) -> str:
    threads, size, kind = _place(result)
    return f"{kind} with {threads} thread{'s' * (threads > 1)} on {size}"


def _notes(base: Path, first: LatencyReport, path: Path, report: LatencyReport) -> Iterator[str]:
    one, other = first.machine, report.machine
    facts = [(f.name, getattr(one, f.name), getattr(other, f.name)) for f in fields(one)]
    if unlike := [f"{name} {b!s} against {a!s}" for name, a, b in facts if a != b]:
        yield f"{path} is of another machine than {base}, or it changed: {'; '.join(unlike)}"
    for name in ("program", "warm_up"):
        if (a := getattr(first, name)) != (b := getattr(report, name)):
            yield f"{path}: {name} {b} against {a} in {base}"
    for told, one_report in ((base, first), (path, report)):
        if (fewest := min(len(result.rounds) for result in one_report.results)) < FEW:
            count = f"{fewest} process{'es' * (fewest > 1)}"
            yield f"{told}: {count}, too few for intervals of 95 %; see --processes"
        if one_report.is_void:
            yield f"{told}: figures in it are void"


def _ran_on(base: Path, path: Path, pairs: Sequence[tuple[Result, Result]]) -> Iterator[str]:
    """Runtimes and kernels that differ: they may be compared, so that it has to be said."""
    for one, other in pairs:
        a, b = one.backends[0], other.backends[0]
        if a != b:
            yield f"{path}: ran on {b}, against {a} in {base}"
        a, b = _xnnpack(one), _xnnpack(other)
        if a != b:
            yield f"{path}: {other.model_name}, {_told(other)}: XNNPACK {b}, against {a} in {base}"


def _xnnpack(result: Result) -> str:
    return ", ".join(dict.fromkeys(part.xnnpack for part in result.rounds))


def _left_over(
    base: Path, first: LatencyReport, path: Path, report: LatencyReport,
    pairs: Sequence[tuple[Result, Result]],
) -> Iterator[str]:  # fmt: skip
    used = {id(result) for pair in pairs for result in pair}
    for told, one_report in ((base, first), (path, report)):
        for result in one_report.results:
            if id(result) not in used:
                yield f"{told}: {result.model_name}, {_told(result)}: nothing to compare it with"
