"""Sustained runs on a benchmark's page: what each led to, and how it went over time."""

import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from corrosion_edge.benchmarks.endurance import Second, Sustained
from corrosion_edge.benchmarks.plots import round_step
from corrosion_edge.benchmarks.samples import UNAVAILABLE
from corrosion_edge.benchmarks.schema import LatencyReport
from corrosion_edge.benchmarks.state import throttle_reasons
from corrosion_edge.benchmarks.wording import names, sustained_table, where
from corrosion_edge.device.history.svg import Band, Point, chart
from corrosion_edge.report import Block, Figure, Section, Table, Text

__all__ = ["sustained_sections"]

_LEAST_TOP: Final = 0.1  # marks below it would have too many digits
_TOPS: Final = (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10)
_MOST: Final = 240  # points of a curve; more are gathered in equal stretches

Values = Callable[[Second], Sequence[float | str]]

_CHARTS: Final[tuple[tuple[str, str, Values], ...]] = (
    ("Frame path (ms)", "The median of each second; shaded up to its p99",
     lambda s: (s.p50_ms, s.p99_ms)),
    ("Clock (GHz)", "That of the fastest core, the highest seen right after a frame",
     lambda s: (s.frequency_mhz if isinstance(s.frequency_mhz, str) else s.frequency_mhz / 1e3,)),
    ("Temperature (°C)", "That of the hottest zone", lambda s: (s.temperature_c,)),
    ("Resident memory (MB)", "1 MB is 10^6 bytes",
     lambda s: (s.memory_bytes if isinstance(s.memory_bytes, str) else s.memory_bytes / 1e6,)),
    ("Load of other programs (cores)", "Processor time that was not this run's",
     lambda s: (s.others_cores,)),
    ("Power (W)", "The mean of each second", lambda s: (s.watts,)),
)  # fmt: skip

_TOLD: Final = (
    ("Throttling", "throttled"),
    ("Under-voltage", "under_voltage"),
    ("Swapped pages", "swapped_pages"),
)
"""What is not drawn as a curve, and told where it cannot be read."""


def sustained_sections(report: LatencyReport) -> list[Section]:
    """A table of all runs, and for each run its curves; nothing where there was no run."""
    if not report.sustained:
        return []
    table = Table(*sustained_table(report), _caption(report))
    drawn = [
        Section(f"Over time: {where(name, run)}", _curves(run))
        for name, run in zip(names(report), report.sustained, strict=False)
    ]
    return [Section("Sustained", [table]), *drawn]


def _caption(report: LatencyReport) -> str:
    return (
        "Frame after frame, after the warm-up. Quarters: medians of the seconds' p50; slowdown: "
        f"the last's / the first's. Power: {report.meter}. Energy: mean power by the time of a "
        "frame, whole and beyond that of the idle machine."
    )


def _curves(run: Sustained) -> list[Block]:
    figures: list[Block] = []
    absent = []
    for title, caption, values in _CHARTS:
        known = [(second.at_s, _numbers(values(second))) for second in run.seconds]
        series = [(at, found) for at, found in known if found]
        if series:
            figures.append(_figure(run, title, caption, series))
        else:
            absent.append(f"{title.partition(' (')[0]}: {values(run.seconds[0])[0]}")
    absent += [f"{name}: {UNAVAILABLE}" for name, told in _TOLD if _unknown(run, told)]
    return [*figures, Text("; ".join(absent))] if absent else figures


def _unknown(run: Sustained, field: str) -> bool:
    """Whether no second of the run has it."""
    return all(getattr(second, field) == UNAVAILABLE for second in run.seconds)


def _figure(
    run: Sustained, title: str, caption: str, series: Sequence[tuple[float, list[float]]]
) -> Figure:
    began = datetime.fromisoformat(run.started_at)
    points = [
        Point(began + timedelta(seconds=at), low, middle, high)
        for at, low, middle, high in _gathered(series)
    ]
    end = began + timedelta(seconds=run.seconds[-1].at_s)
    bands = _throttled(run, began)
    top = _round_top(max(point.high for point in points))
    apart = max(5.0, 3 * run.seconds[-1].at_s / len(run.seconds), 2 * run.seconds[-1].at_s / _MOST)
    drawing = chart(title, points, period=(began, end), top=top, gap=timedelta(seconds=apart),
                    bands=bands, ticks=_ticks(began, run.seconds[-1].at_s))  # fmt: skip
    red = "; red: throttled or under-powered" * bool(bands)
    return Figure(drawing, caption + red, f"{title} over the run")


def _ticks(began: datetime, lasted: float) -> list[tuple[datetime, str]]:
    """Minutes since the start, at some round numbers of them, the last with the unit."""
    minutes = lasted / 60
    step = round_step(minutes / 6)
    count = int(minutes / step + 1e-9)
    names = [f"{n * step:g}" for n in range(count + 1)]
    names[-1] += " min"
    return [(began + timedelta(minutes=n * step), name) for n, name in enumerate(names)]


def _round_top(highest: float) -> float:
    """The next value above that four equal steps lead to in few digits."""
    power = 10.0 ** math.floor(math.log10(max(highest, _LEAST_TOP)))
    return next(top * power for top in _TOPS if top * power >= max(highest, _LEAST_TOP))


def _gathered(
    series: Sequence[tuple[float, list[float]]],
) -> list[tuple[float, float, float, float]]:
    """Time, lowest, middle and highest value of each stretch of seconds."""
    size = -(-len(series) // _MOST)
    made = []
    for start in range(0, len(series), size):
        part = series[start : start + size]
        middles = sorted(values[0] for _, values in part)
        highest = max(max(values) for _, values in part)
        made.append((part[0][0], middles[0], middles[len(middles) // 2], highest))
    return made


def _throttled(run: Sustained, began: datetime) -> list[Band]:
    """The stretches of seconds in which firmware or voltage monitor said that all is not well."""
    stretches: list[tuple[float, float]] = []
    starts = (0.0, *(second.at_s for second in run.seconds))
    for start, second in zip(starts, run.seconds, strict=False):
        amiss = any(words.endswith("now") for words in throttle_reasons(second.throttled))
        if not amiss and second.under_voltage != "yes":
            continue
        first = stretches.pop()[0] if stretches and stretches[-1][1] == start else start
        stretches.append((first, second.at_s))
    at = [tuple(began + timedelta(seconds=s) for s in stretch) for stretch in stretches]
    return [Band(start, end, "event") for start, end in at]


def _numbers(values: Sequence[float | str]) -> list[float]:
    return [value for value in values if not isinstance(value, str)]
