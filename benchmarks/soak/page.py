"""A soak's result as a page and as text."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from corrosion_edge.benchmarks.machine import Machine
from corrosion_edge.benchmarks.plots import round_step
from corrosion_edge.benchmarks.soak.verdict import Line, Result
from corrosion_edge.benchmarks.wording import machine_rows
from corrosion_edge.device.history.svg import Band, Point, chart
from corrosion_edge.report import Block, Figure, Page, Section, Table, Text, render

__all__ = ["html", "text"]

_KB = 1024 / 1e6
_WORDS = {"kept": "kept", "exceeded": "EXCEEDED", "open": "open"}


def text(result: Result) -> str:
    """A line for each check."""
    wide = max(len(check.what) for check in result.checks)
    lines = [f"{_WORDS[check.state]:<9} {check.what:<{wide}}  {check.found}  (limit: {check.limit})"
             for check in result.checks]  # fmt: skip
    return "\n".join([f"{result.minutes:.1f} minutes after the warm-up", *lines])


def html(result: Result) -> str:
    """One self-contained HTML document."""
    plan = result.start["plan"]
    began = datetime.fromtimestamp(result.start["time"], UTC).astimezone()
    machine = Machine(**result.start["machine"])
    sections = [
        Section("Verdict", _verdict(result)),
        Section("Over time", _figures(result, began)),
        Section("Latency", [_latency(result)]),
        Section("Faults", [_faults(result)]),
        Section("Machine", [Table(("fact", "value"), machine_rows(machine))]),
        Section("How it was done", [Text(_method(plan))]),
    ]
    subtitle = f"{machine.cpu} · {machine.os} · {began:%Y-%m-%d %H:%M %z}"
    title = f"A watch under faults for {plan['minutes']:g} minutes"
    return render(Page(title, subtitle, sections))


def _verdict(result: Result) -> list[Block]:
    bad = [f"{check.what}: {check.found}" for check in result.exceeded]
    marks: list[Block] = [Text("\n".join(bad), "warning")] if bad else []
    rows = [(c.what, c.found, c.limit, _WORDS[c.state]) for c in result.checks]
    caption = (
        f"Judged: {result.minutes:.1f} minutes after the warm-up. Memory: resident set, 1 MB is "
        "10^6 bytes; the interval is of 95 %. Heap in use: what the C library has given out, not "
        "what it holds free. Growth: what is there at least (tenth percentile, while no fault is "
        "under way) in the last quarter less that in the first."
    )
    return [*marks, Table(("check", "found", "limit", "state"), rows, caption)]


def _figures(result: Result, began: datetime) -> list[Block]:
    drawn = _Drawn(result, began)
    floor = min(_KB * sample["rss_kb"] for sample in result.samples)
    return [
        drawn.figure("Resident memory (MB)", lambda s: [_KB * s["rss_kb"]],
                     "Shaded: the warm-up, and faults"),
        drawn.figure("Resident memory above its lowest after the warm-up (MB)",
                     lambda s: [max(0.0, _KB * s["rss_kb"] - floor)],
                     "The same, enlarged", later=True),
        *([drawn.figure("Heap in use (MB)", lambda s: [_KB * s["heap_kb"]],
                        "What the C library has given out")] if result.used else []),
        drawn.figure("Open files", lambda s: [s["files"]], "Cameras, page clients, the store"),
        drawn.figure("Threads", lambda s: [s["threads"]], "One a camera, and those of the rest"),
        drawn.figure("Latency of a verdict (ms)", lambda s: s["latency_ms"],
                     "Lowest, median and highest in each sample"),
        drawn.figure("Age of a verdict (ms)", lambda s: s["age_ms"],
                     "From the frame's arrival until its line was read"),
    ]  # fmt: skip


class _Drawn:
    """Charts of one soak, with its faults as bands."""

    def __init__(self, result: Result, began: datetime) -> None:
        self._result, self._began = result, began
        self._end = self._at(result.everything[-1]["s"])
        self._warm = self._at(result.samples[0]["s"])

    def figure(self, title: str, values: Any, caption: str, *, later: bool = False) -> Figure:
        """A chart of what ``values`` takes from a sample; ``later`` leaves the warm-up out."""
        samples = self._result.samples if later else self._result.everything
        found = [(self._at(sample["s"]), values(sample)) for sample in samples]
        points = [Point(at, min(some), median(some), max(some)) for at, some in found if some]
        top = 4 * round_step(max(max(point.high for point in points) / 4, 0.01))
        start = self._warm if later else self._began
        gap = timedelta(seconds=5 * self._result.start["plan"]["sample_every"])
        drawing = chart(title, points, period=(start, self._end), top=top, gap=gap,
                        bands=self._bands())  # fmt: skip
        return Figure(drawing, caption, f"{title} over the run")

    def _bands(self) -> list[Band]:
        faults = [Band(self._at(f["s"] - f["back_s"] - f["lasted_s"]), self._at(f["s"]), "event")
                  for f in self._result.faults]  # fmt: skip
        return [Band(self._began, self._warm, "away"), *faults]

    def _at(self, seconds: float) -> datetime:
        return self._began + timedelta(seconds=seconds)


def _latency(result: Result) -> Table:
    pairs = zip(result.latencies(), result.latencies("age_ms"), strict=True)
    rows = [(f"{n}", f"{count}", *(f"{v:.2f}" for v in (*judged, *age)))
            for n, ((*judged, count), (*age, _)) in enumerate(pairs, 1)]  # fmt: skip
    head = ("quarter", "verdicts", "p50", "p99", "age p50", "age p99")
    return Table(head, rows, "Milliseconds; age: from the frame's arrival until its line was read")


def _faults(result: Result) -> Table:
    rows = [(kind, len(found), sum(f["outcome"] == "recovered" for f in found), *_times(found))
            for kind, found in result.by_kind().items()]  # fmt: skip
    head = ("fault", "times", "recovered", "lasted", "noticed", "back", "back at most")
    return Table(
        head, rows, "Seconds, medians; noticed from its beginning on, back from its end on"
    )


def _times(found: Sequence[Line]) -> list[str]:
    noticed = [f["noticed_s"] for f in found if f["noticed_s"] is not None]
    back = [f["back_s"] for f in found if f["outcome"] == "recovered"]
    columns = ([f["lasted_s"] for f in found], noticed, back)
    most = f"{max(back):.1f}" if back else "-"
    return [*(f"{median(c):.1f}" if c else "-" for c in columns), most]


def _method(plan: Line) -> str:
    width, height = plan["size"]
    return (
        "corrosion-edge watch ran with store, page, metrics, webhook and a watchdog's socket on a "
        f"looped video of {plan['loop']:g} s, {width}x{height} pixels, served as H.264 and as JPEG "
        f"over HTTP, a verdict each {plan['interval']:g} s and camera. A fault came each "
        f"{plan['fault_every']:g} s, varied by half (seed {plan['seed']}); one camera was left "
        f"alone. The process was looked at each {plan['sample_every']:g} s. The slope of memory is "
        "the median of the slopes between all pairs of samples (Theil and Sen), its interval that "
        "of a moving-block bootstrap."
    )
