"""A benchmark's report as a page."""

from datetime import datetime
from statistics import median

from corrosion_edge.benchmarks import plots
from corrosion_edge.benchmarks.samples import Start
from corrosion_edge.benchmarks.schema import LatencyReport, Result
from corrosion_edge.benchmarks.sustained_page import sustained_sections
from corrosion_edge.benchmarks.void import MIN_RUNS, RULES
from corrosion_edge.benchmarks.wording import (
    HEAD,
    machine_rows,
    megabytes,
    ms,
    names,
    others,
    result_rows,
    state_rows,
    void_lines,
)
from corrosion_edge.report import Block, Cell, Figure, Page, Section, Table, Text, render

__all__ = ["html", "page"]

_SERIES = {
    "invoke": "invoke alone",
    "path": "frame path",
    "scale": "· scale",
    "gate": "· quality gate",
    "path_invoke": "· invoke",
    "decode": "· decode",
    "read": "read a picture's file",
    "sink": "write a JSON line",
}
_STAGES = {
    "interpreter_ns": "Python starts",
    "imports_ns": "imports",
    "load_ns": "load model",
    "picture_ns": "read frame",
    "prepare_ns": "prepare",
    "invoke_ns": "invoke",
    "decode_ns": "decode",
}


def html(report: LatencyReport) -> str:
    """One self-contained HTML document."""
    return render(page(report))


def page(report: LatencyReport) -> Page:
    """What the page and the Markdown hold."""
    machine = report.machine
    subtitle = f"{_first_known(machine.board, machine.cpu)} · {machine.os} · {_day(report)}"
    sections = [
        Section("Figures", _figures(report)),
        Section("Where the time goes", _drawings(report)),
        Section("Every series", [_series_table(report)]),
        *sustained_sections(report),
        Section("From the start to the first verdict", [_start_table(report)]),
        Section("Machine", _machine(report)),
        Section("How it was measured", [Text(_method(report)), Text(RULES)]),
    ]
    return Page("Latency on this machine", subtitle, sections)


def _figures(report: LatencyReport) -> list[Block]:
    lines = void_lines(report)
    marks: list[Block] = [Text("\n".join(lines), "warning")] if lines else []
    caption = "1 MB is 10^6 bytes; ratio: frame path p50 / invoke p50"
    return [*marks, Table(HEAD, result_rows(report), caption)]


def _drawings(report: LatencyReport) -> list[Block]:
    return [
        Figure(
            plots.stages(report),
            "From a picture's file to the line that tells its verdict, medians",
            "Bars: the medians of reading, scaling, gate, invoking, decoding and writing",
        ),
        Figure(
            plots.spread(report),
            "Every invoke alone as a dot; the thick line is p50, the thin ones p90 and p99",
            "Dots: the duration of each invoke, per configuration",
        ),
    ]


def _series_table(report: LatencyReport) -> Table:
    head = (
        "model",
        "threads",
        "frame",
        "series",
        "min",
        "p50",
        "p90",
        "p95",
        "p99",
        "max",
        "mean",
        "1/s",
    )
    rows: list[tuple[Cell, ...]] = [
        (name, result.threads, result.size, *row)
        for name, result in zip(names(report), report.results, strict=True)
        for row in _series_rows(result)
    ]
    few = f"no p95 and p99 of fewer than {MIN_RUNS} samples"
    return Table(head, rows, f"Milliseconds; throughput in 1/s; {few}")


def _series_rows(result: Result) -> list[tuple[str, ...]]:
    rows = []
    statistics = result.summary.statistics
    for key, title in _SERIES.items():
        s = getattr(statistics, key)
        tail = tuple(f"{v:.3f}" if s.n >= MIN_RUNS else "-" for v in (s.p95, s.p99))
        head = (f"{v:.3f}" for v in (s.minimum, s.p50, s.p90))
        rows.append((title, *head, *tail, *(f"{v:.3f}" for v in (s.maximum, s.mean)),
                     f"{s.per_second:.1f}"))  # fmt: skip
    return rows


def _start_table(report: LatencyReport) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (name, result.threads, result.size, *_start_cells(result))
        for name, result in zip(names(report), report.results, strict=True)
    ]
    head = ("model", "threads", "frame", *_STAGES.values(), "total", "fastest", "slowest")
    return Table(head, rows, "Medians over the processes; the totals of the fastest and slowest")


def _start_cells(result: Result) -> list[str]:
    starts = [part.start for part in result.rounds]
    totals = [start.total_ns for start in starts]
    values = [*(_median_ns(starts, stage) for stage in _STAGES), median(totals)]
    return [ms(value / 1e6) for value in (*values, min(totals), max(totals))]


def _median_ns(starts: list[Start], stage: str) -> float:
    return median(getattr(start, stage) for start in starts)


def _machine(report: LatencyReport) -> list[Block]:
    return [
        Table(("fact", "value"), machine_rows(report.machine)),
        Table(("state", "before", "after"), state_rows(report.before, report.after)),
        Text(
            f"While measuring, other programs used {others(report)} cores, and "
            f"{report.swapped_pages} pages of memory were swapped."
        ),
        Table(("model", "ran on", "XNNPACK", "size", "SHA-256 of the network"), _ran_on(report)),
    ]


def _ran_on(report: LatencyReport) -> list[tuple[str, ...]]:
    """A row for each model and backend."""
    pairs = zip(names(report), report.results, strict=True)
    rows = [
        (
            name,
            r.backends[0],
            r.rounds[0].xnnpack,
            megabytes(r.file_bytes),
            f"{r.model_sha256[:16]}…",
        )
        for name, r in pairs
    ]
    return list(dict.fromkeys(rows))


def _method(report: LatencyReport) -> str:
    most = max(len(result.rounds) for result in report.results)
    return (
        f"Each configuration ran in {most} fresh processes, taking turns with the others, "
        f"{report.runs} runs in all over {report.pictures}, delivered as {report.pixel_format}. "
        "One run is a frame path (scale and the quality gate, as watch does it, together prepare; "
        "invoke; decode) and then the invoke alone, again, on the same prepared picture. Invoke "
        "means: hand over the input, run the network, take its outputs. The frame lies in memory "
        "when a run begins. Once all runs of a process are done it decodes pictures from their "
        f"files ({_files(report)}) and writes verdicts to /dev/null, some times. The warm-up "
        f"{report.warm_up}. The first verdict is counted from the spawn of the process, peak "
        "memory is its largest resident set with one frame in hand."
    )


def _files(report: LatencyReport) -> str:
    if report.pictures.kind == "photos":
        return "the photos as they are; frames are those photos stretched to the frame's size"
    return "JPEG of the frame's size, quality 90"


def _day(report: LatencyReport) -> str:
    return f"{datetime.fromisoformat(report.finished_at):%Y-%m-%d %H:%M} UTC"


def _first_known(*facts: str) -> str:
    return next((fact for fact in facts if fact != "unavailable"), "unknown machine")
