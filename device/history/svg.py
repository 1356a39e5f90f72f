"""A chart of values over time as SVG: no library on the device draws one, and it is small."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from xml.sax.saxutils import escape

__all__ = ["HEIGHT", "WIDTH", "Band", "Point", "chart"]

WIDTH: Final = 500
HEIGHT: Final = 250
"""Pixels; two charts stand side by side on a desk, and one is still read on a phone."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 26, 30
_STEPS = (1 / 60, 1 / 12, 1 / 4, 1 / 2, 1, 2, 3, 6, 12, 24, 48, 72, 168, 336, 672, 1344, 2688,
          5376)  # hours between marks  # fmt: skip
_LETTER = 8  # pixels of a letter's width, at most
_LEAST_AWAY = 0.02 * WIDTH  # nights of a month would only be noise
_STYLE = (
    "text{font:13px sans-serif;fill:#333;paint-order:stroke;stroke:#fff;stroke-width:3px}"
    ".grid{stroke:#ddd}.range{fill:#e8a37c;opacity:.55}"
    ".line{fill:none;stroke:#8c2f0b;stroke-width:1.6}.dot{fill:#8c2f0b}"
    ".mark{stroke:#555;stroke-dasharray:5 4}.away{fill:#9aa3aa;opacity:.35}"
    ".event{fill:#c02020;opacity:.16}"
)


@dataclass(frozen=True, slots=True)
class Point:
    """Lowest, middle and highest value from ``at`` on."""

    at: datetime
    low: float
    mid: float
    high: float


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of time that is shaded: an ``event`` or a time ``away``."""

    start: datetime
    end: datetime
    kind: str


def chart(
    title: str,
    points: Sequence[Point],
    *,
    period: tuple[datetime, datetime],
    top: float,
    gap: timedelta,
    percent: bool = False,
    marks: Sequence[tuple[float, str]] = (),
    bands: Sequence[Band] = (),
    ticks: Sequence[tuple[datetime, str]] | None = None,
) -> str:
    """The chart, 0 to ``top``, with a line of the middle values over a band from low to high.

    Points further apart than ``gap`` are not joined: what was not seen is not drawn. ``marks``
    are levels with their name; ``ticks`` times with theirs, in place of the hours of the day.
    """
    frame = _Frame(period, top)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" role="img"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
        f'<text x="{_LEFT}" y="16" font-weight="bold">{escape(title)}</text>'
    ]
    parts += [frame.shade(band) for band in bands]
    parts += frame.levels(percent)
    parts += frame.times() if ticks is None else [frame.tick(at, name) for at, name in ticks]
    for run in _runs(points, gap):
        parts += frame.curve(run)
    parts += [frame.mark(level, name) for level, name in marks]
    return "".join(parts) + "</svg>"


class _Frame:
    """Where a time and a value lie on the paper."""

    def __init__(self, period: tuple[datetime, datetime], top: float) -> None:
        self._start, end = period
        self._seconds = max(1.0, (end - self._start).total_seconds())
        self._top = top

    def x(self, at: datetime) -> float:
        share = (at - self._start).total_seconds() / self._seconds
        return round(_LEFT + min(1.0, max(0.0, share)) * (WIDTH - _LEFT - _RIGHT), 1)

    def y(self, value: float) -> float:
        share = min(1.0, max(0.0, value / self._top))
        return round(HEIGHT - _BOTTOM - share * (HEIGHT - _BOTTOM - _TOP), 1)

    def levels(self, percent: bool) -> list[str]:
        made = []
        for value in (self._top * n / 4 for n in range(5)):
            y = self.y(value)
            text = f"{100 * value:.3g} %" if percent else _short(value)
            made.append(
                f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>'
                f'<text x="{_LEFT - 5}" y="{y + 4}" text-anchor="end">{text}</text>'
            )
        return made

    def times(self) -> list[str]:
        hours = self._seconds / 3600
        step = timedelta(hours=next((s for s in _STEPS if hours / s <= 5), 10752))
        form = "%d %b" if step >= timedelta(days=1) else "%d %b %H:%M"
        at = self._start.astimezone().replace(minute=0, second=0, microsecond=0)
        if step >= timedelta(days=1):
            at = at.replace(hour=0)
        made = []
        while (at := at + step) and self.x(at) < WIDTH - _RIGHT - 35:
            if self.x(at) > _LEFT + 20:
                made.append(self.tick(at, f"{at:{form}}"))
        return made

    def tick(self, at: datetime, name: str) -> str:
        """A line and its name, which ends with the paper where it would be cut off."""
        x = self.x(at)
        room = _LETTER * len(name) / 2
        anchor = "end" if x + room > WIDTH else "middle"
        return (
            f'<line class="grid" x1="{x}" x2="{x}" y1="{_TOP}" y2="{HEIGHT - _BOTTOM}"/>'
            f'<text x="{x}" y="{HEIGHT - 12}" text-anchor="{anchor}">{escape(name)}</text>'
        )

    def shade(self, band: Band) -> str:
        x = self.x(band.start)
        if band.kind == "away" and self.x(band.end) - x < _LEAST_AWAY:
            return ""
        width = max(1.5, self.x(band.end) - x)
        return (
            f'<rect class="{band.kind}" x="{x}" y="{_TOP}" width="{width:.1f}" '
            f'height="{HEIGHT - _BOTTOM - _TOP}"/>'
        )

    def curve(self, run: Sequence[Point]) -> list[str]:
        if len(run) == 1:
            return [
                f'<circle class="dot" cx="{self.x(run[0].at)}" cy="{self.y(run[0].mid)}" r="2"/>'
            ]
        upper = [f"{self.x(p.at)},{self.y(p.high)}" for p in run]
        lower = [f"{self.x(p.at)},{self.y(p.low)}" for p in reversed(run)]
        middle = " ".join(f"{self.x(p.at)},{self.y(p.mid)}" for p in run)
        return [
            f'<polygon class="range" points="{" ".join(upper + lower)}"/>',
            f'<polyline class="line" points="{middle}"/>',
        ]

    def mark(self, level: float, name: str) -> str:
        y = self.y(level)
        return (
            f'<line class="mark" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>'
            f'<text x="{WIDTH - _RIGHT - 4}" y="{y - 4}" text-anchor="end">{escape(name)}</text>'
        )


def _runs(points: Sequence[Point], gap: timedelta) -> list[list[Point]]:
    """The points in stretches without a gap."""
    runs: list[list[Point]] = []
    for point in points:
        if runs and point.at - runs[-1][-1].at <= gap:
            runs[-1].append(point)
        else:
            runs.append([point])
    return runs


def _short(value: float) -> str:
    """Three digits, and thousands as 2k: the margin has no room for more."""
    return f"{value / 1000:.3g}k" if value >= 1000 else f"{value:.3g}"
