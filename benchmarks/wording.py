"""A report's figures as words: the rows that the terminal and the page share."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Final

from corrosion_edge.benchmarks.endurance import NOT_MEASURED, Sustained
from corrosion_edge.benchmarks.machine import Machine
from corrosion_edge.benchmarks.samples import UNAVAILABLE
from corrosion_edge.benchmarks.schema import LatencyReport, Result
from corrosion_edge.benchmarks.state import State

__all__ = [
    "HEAD",
    "aligned",
    "gigabytes",
    "machine_rows",
    "megabytes",
    "ms",
    "names",
    "others",
    "result_rows",
    "state_rows",
    "sustained_table",
    "text",
    "told",
    "void_lines",
    "where",
]

HEAD: Final = (
    "model", "threads", "frame", "first verdict", "invoke p50", "p90", "p99",
    "frame path p50", "ratio", "frames/s", "peak memory", "size", "valid",
)  # fmt: skip

_SUSTAINED: Final = (
    "sustained", "threads", "frame", "minutes", "rate", "frames/s", "p50 first quarter",
    "last quarter", "slowdown", "throttled after", "hottest",
)  # fmt: skip
_POWER: Final = ("idle power", "power", "energy per frame", "above idle")

_TITLES: Final = {
    "soc": "system on a chip", "int8_extensions": "extensions for int8",
    "accelerators": "Edge TPUs plugged in", "virtual": "virtual machine",
    "under_voltage": "under-voltage",
    "cpu": "processor", "cores": "cores usable", "governor": "frequency governor",
    "frequency_limits_mhz": "frequency limits (MHz)", "memory_bytes": "memory",
    "os": "operating system", "numpy": "NumPy", "pillow": "Pillow", "python": "Python",
    "temperature_c": "temperature (°C)", "throttled": "throttling flags",
    "frequency_mhz": "frequency (MHz)", "load_average": "load average (1, 5, 15 min)",
}  # fmt: skip


def ms(value: float) -> str:
    """Milliseconds with three significant digits or more."""
    digits = 0 if value >= 1000 else 1 if value >= 100 else 2
    return f"{value:.{digits}f} ms"


def megabytes(value: int | str) -> str:
    """Bytes in units of 10^6, or "unavailable"."""
    return f"{value / 1e6:.1f} MB" if isinstance(value, int) else value


def gigabytes(value: float | str) -> str:
    """Bytes in units of 10^9, or "unavailable"."""
    return value if isinstance(value, str) else f"{value / 1e9:.1f} GB"


def _sustained_lines(report: LatencyReport) -> list[str]:
    head, rows = sustained_table(report)
    return ["", *aligned([head, *rows]), ""] if rows else []


def told(value: float | str, unit: str, digits: int | None = None) -> str:
    """A number with its unit, or the words that stand in its place."""
    if isinstance(value, str):
        return value
    return f"{value:g} {unit}" if digits is None else f"{value:.{digits}f} {unit}"


def names(report: LatencyReport) -> list[str]:
    """A name for each result's model: the file's own, or its path where two are called alike."""
    paths = list(dict.fromkeys(result.model for result in report.results))
    short = [Path(path).name for path in paths]
    return [
        name if short.count(name := Path(result.model).name) == 1 else result.model
        for result in report.results
    ]


def result_rows(report: LatencyReport) -> list[tuple[str, ...]]:
    """One row per result, as in ``HEAD``; the last cell says "yes" or "void"."""
    pairs = zip(names(report), report.results, strict=True)
    return [(*_row(name, r), "void" if report.void_of(r) else "yes") for name, r in pairs]


def void_lines(report: LatencyReport) -> list[str]:
    """One line per reason, beginning with "void: "."""
    lines = [f"void: {reason}" for reason in report.void]
    for name, result in zip(names(report), report.results, strict=True):
        lines += [f"void: {where(name, result)}: {reason}" for reason in result.void]
    for name, run in zip(names(report), report.sustained, strict=False):
        lines += [f"void: {where(name, run)}, sustained: {reason}" for reason in run.void]
    return lines


def sustained_table(report: LatencyReport) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Head, and a row per sustained run; without columns of power where nothing measured it."""
    metered = report.meter != NOT_MEASURED
    rows = [
        (*_endured(name, run), *(_drawn(run) if metered else ()), "void" if run.void else "yes")
        for name, run in zip(names(report), report.sustained, strict=False)
    ]
    return (*_SUSTAINED, *(_POWER if metered else ()), "valid"), rows


def where(name: str, one: Result | Sustained) -> str:
    """Which configuration it is: model, threads, size of the frame."""
    return f"{name}, {one.threads} thread{'s' * (one.threads > 1)}, {one.size}"


def machine_rows(machine: Machine) -> list[tuple[str, str]]:
    """Name and value of each fact."""
    rows = {f.name: str(getattr(machine, f.name)) for f in fields(machine)}
    rows["memory_bytes"] = gigabytes(machine.memory_bytes)
    return [(_title(name), value) for name, value in rows.items()]


def state_rows(before: State, after: State) -> list[tuple[str, str, str]]:
    """Name of each changing fact, and its value before and after."""
    return [
        (_title(f.name), str(getattr(before, f.name)), str(getattr(after, f.name)))
        for f in fields(before)
    ]


def others(report: LatencyReport) -> str:
    """The processor time of other programs, in cores, with two digits."""
    value = report.others_cores
    return f"{value:.2f}" if isinstance(value, float) else value


def text(report: LatencyReport) -> str:
    """The whole report for a terminal, without the final newline."""
    m = report.machine
    lines = [
        *aligned([HEAD, *result_rows(report)]),
        "",
        f"machine: {_known(m.board, 'board')}; {_known(m.cpu, 'processor')}, {m.cores} cores, "
        f"memory {gigabytes(m.memory_bytes)}; {m.os}, {m.architecture}",
        f"int8: {_known(m.int8_extensions, 'extensions')}; Edge TPUs plugged in: {m.accelerators}; "
        f"virtual machine: {m.virtual}",
        f"runtime: {m.runtime}; Python {m.python.split()[-1]}, NumPy {m.numpy}, Pillow {m.pillow}",
        f"state: {_known(report.after.temperature_c, 'temperature', ' °C')}; "
        f"{_known(report.after.throttled, 'throttling flags')}; "
        f"other programs used {others(report)} cores",
        f"pictures: {report.pictures}, {report.pixel_format}; runs: {report.runs}; "
        f"{report.finished_at}",
        *_sustained_lines(report),
        f"power: {report.meter}",
        *void_lines(report),
    ]
    return "\n".join(line.rstrip() for line in lines)


def _row(name: str, result: Result) -> tuple[str, ...]:
    summary = result.summary
    invoke, path = summary.statistics.invoke, summary.statistics.path
    return (
        name,
        str(result.threads),
        result.size,
        ms(summary.first_verdict_ms),
        *(ms(value) for value in (invoke.p50, invoke.p90, invoke.p99, path.p50)),
        f"{summary.ratio:.2f}",
        f"{path.per_second:.1f}",
        megabytes(summary.peak_memory_bytes),
        megabytes(result.file_bytes),
    )


def _endured(name: str, run: Sustained) -> tuple[str, ...]:
    found = run.summary
    return (
        name,
        str(run.threads),
        run.size,
        f"{run.minutes:g}",
        told(run.rate, "1/s"),
        f"{found.frames_per_second:.1f}",
        ms(found.first_p50_ms),
        ms(found.last_p50_ms),
        f"{found.slowdown:.3f}",
        told(found.throttled_after_s, "s", 0),
        told(found.hottest_c, "°C", 1),
    )


def _drawn(run: Sustained) -> tuple[str, ...]:
    found = run.summary
    return (
        told(run.idle_watts, "W", 2),
        told(found.watts, "W", 2),
        told(found.joules_per_frame, "J", 4),
        told(found.joules_per_frame_above_idle, "J", 4),
    )


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def _known(value: float | str, what: str, unit: str = "") -> str:
    return f"{what} {UNAVAILABLE}" if value == UNAVAILABLE else f"{what} {value}{unit}"


def _title(name: str) -> str:
    return _TITLES.get(name, name.replace("_", " "))
