"""A benchmark's two pictures, drawn as SVG, so that a small board needs no plotting library."""

from collections.abc import Sequence
from html import escape
from typing import Final

from corrosion_edge.benchmarks.schema import LatencyReport, Result
from corrosion_edge.benchmarks.stats import percentile
from corrosion_edge.benchmarks.wording import ms, names

__all__ = ["round_step", "spread", "stages"]

_WIDTH: Final = 500
_LEFT: Final = 20
_LONGEST: Final = 36  # characters of a title
_ROW: Final = 52
_TOP: Final = 34
_BOTTOM: Final = 38
_COLOURS: Final = {"read file": "#8d7aa8", "scale": "#4477aa", "gate": "#9a4d6e",
                   "invoke": "#cc6633", "decode": "#66a182", "sink": "#a8893f"}  # fmt: skip
_INK: Final = "#1d2327"
_SOFT: Final = "#59636b"


def stages(report: LatencyReport) -> str:
    """From a picture's file to a line: a bar per configuration, its stages' medians in a row."""
    medians = [_stage_medians(result) for result in report.results]
    scale = _Scale(max(sum(values.values()) for values in medians))
    rows = [
        _label(i, title, f"frame path p50 {ms(result.summary.statistics.path.p50)}")
        + _bar(i, values, scale)
        for i, (title, result, values) in enumerate(
            zip(_titles(report), report.results, medians, strict=True)
        )
    ]
    return _drawing(rows, scale, _legend())


def spread(report: LatencyReport) -> str:
    """Every invoke as a dot, with the median as a line and p90 and p99 as ticks."""
    series = [[ns / 1e6 for ns in result.samples.invoke_ns] for result in report.results]
    # A single outlier must not press all others together: what lies beyond is drawn at the edge.
    scale = _Scale(max(1.15 * percentile(values, 99) for values in series))
    rows = [
        _label(i, title, f"p50 {ms(percentile(values, 50))}, p99 {ms(percentile(values, 99))}")
        + _dots(i, values, scale)
        for i, (title, values) in enumerate(zip(_titles(report), series, strict=True))
    ]
    return _drawing(rows, scale, "")


class _Scale:
    """Milliseconds to pixels, with round ticks."""

    def __init__(self, largest: float) -> None:
        self.step = round_step(largest / 5)
        self.end = self.step * (int(largest / self.step) + 1)

    def x(self, value: float) -> float:
        return _LEFT + (_WIDTH - 2 * _LEFT) * min(value, self.end) / self.end

    @property
    def ticks(self) -> list[float]:
        return [i * self.step for i in range(round(self.end / self.step) + 1)]


def round_step(rough: float) -> float:
    """The next number above of the form 1, 2 or 5 times a power of ten."""
    power: float = 10.0 ** (len(f"{int(rough)}") - 1) if rough >= 1 else 1.0
    while power > rough:
        power /= 10
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)


def _stage_medians(result: Result) -> dict[str, float]:
    found = result.summary.statistics
    series = (found.read, found.scale, found.gate, found.path_invoke, found.decode, found.sink)
    return {stage: one.p50 for stage, one in zip(_COLOURS, series, strict=True)}


def _titles(report: LatencyReport) -> list[str]:
    pairs = zip(names(report), report.results, strict=True)
    sizes = {result.size for result in report.results}
    return [
        f"{name}, {r.threads} thread{'s' * (r.threads > 1)}" + f", {r.size}" * (len(sizes) > 1)
        for name, r in pairs
    ]


def _top(row: int) -> int:
    return _TOP + row * _ROW


def _bar(row: int, values: dict[str, float], scale: _Scale) -> str:
    parts, done = [], 0.0
    for stage, value in values.items():
        x0, x1 = scale.x(done), scale.x(done + value)
        parts.append(
            f'<rect x="{x0:.1f}" y="{_top(row) + 18}" width="{x1 - x0:.1f}" height="20" '
            f'fill="{_COLOURS[stage]}"/>'
        )
        if x1 - x0 > 56:
            parts.append(_text((x0 + x1) / 2, _top(row) + 33, ms(value), "#ffffff", "middle"))
        done += value
    return "".join(parts)


def _dots(row: int, values: Sequence[float], scale: _Scale) -> str:
    top, parts = _top(row) + 18, []
    for i, value in enumerate(values):
        y = top + 2 + 16 * (i * 0.618034 % 1)  # the golden ratio spreads neighbours apart
        parts.append(f'<circle cx="{scale.x(value):.1f}" cy="{y:.1f}" r="2"/>')
    marks = []
    for percent, weight in ((50, 2.5), (90, 1.2), (99, 1.2)):
        x = scale.x(percentile(values, percent))
        marks.append(f'<path d="M{x:.1f} {top - 2}v24" stroke-width="{weight}"/>')
    return (
        f'<g fill="{_COLOURS["invoke"]}" fill-opacity=".45">{"".join(parts)}</g>'
        f'<g stroke="{_INK}">{"".join(marks)}</g>'
    )


def _label(row: int, title: str, value: str) -> str:
    y = _top(row) + 12
    title = title if len(title) <= _LONGEST else f"…{title[1 - _LONGEST :]}"
    return _text(_LEFT, y, title, _INK) + _text(_WIDTH - _LEFT, y, value, _SOFT, "end")


def _legend() -> str:
    parts = []
    for i, (stage, colour) in enumerate(_COLOURS.items()):
        x = _LEFT + 78 * i
        parts.append(f'<rect x="{x}" y="9" width="12" height="12" fill="{colour}"/>')
        parts.append(_text(x + 18, 20, stage, _SOFT))
    return "".join(parts)


def _text(x: float, y: float, words: str, colour: str, anchor: str = "start") -> str:
    place = f'x="{x:.1f}" y="{y}" fill="{colour}" text-anchor="{anchor}"'
    # The outline keeps a label readable where a grid line passes behind it.
    halo = "" if colour == "#ffffff" else ' stroke="#ffffff" stroke-width="4" paint-order="stroke"'
    return f"<text {place}{halo}>{escape(words)}</text>"


def _axis(scale: _Scale, bottom: int) -> str:
    parts = []
    for tick in scale.ticks:
        x = scale.x(tick)
        unit = " ms" if tick == scale.ticks[-1] else ""
        parts.append(f'<path d="M{x:.1f} {_TOP - 4}V{bottom}" stroke="#d5dade"/>')
        anchor = "end" if unit else "middle"
        parts.append(_text(x + 14 * bool(unit), bottom + 18, f"{tick:g}{unit}", _SOFT, anchor))
    return "".join(parts)


def _drawing(rows: Sequence[str], scale: _Scale, legend: str) -> str:
    bottom = _top(len(rows))
    height = bottom + _BOTTOM
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="13">'
        f'<rect width="100%" height="100%" fill="#ffffff"/>'
        f"{_axis(scale, bottom)}{legend}{''.join(rows)}</svg>"
    )
