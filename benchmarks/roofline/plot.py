"""The roofline itself: what can be multiplied a second, by what is multiplied a byte."""

import math
from html import escape
from typing import Final

from corrosion_edge.benchmarks.roofline.measure import Point, Roofline

__all__ = ["draw"]

_WIDTH, _HEIGHT = 620, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 20, 24, 48
_COLOURS: Final = {"INT8": "#cc6633", "FLOAT32": "#4477aa"}
_INK, _SOFT, _GRID = "#1d2327", "#59636b", "#d5dade"
_GIGA: Final = 1e9


def draw(roofline: Roofline) -> str:
    """An SVG with both axes logarithmic; a model's dot lies where no cache holds activations."""
    axes = _Axes(roofline)
    roofs = "".join(_roof(axes, roofline, kind) for kind in roofline.peaks)
    dots = "".join(_dot(axes, n, point) for n, point in enumerate(roofline.points, 1))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" font-family="sans-serif" font-size="13">'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>'
        f"{axes.grid()}{roofs}{dots}</svg>"
    )


class _Axes:
    """Multiply-accumulates a byte and a second to pixels, over whole powers of ten."""

    def __init__(self, roofline: Roofline) -> None:
        peaks, speed = roofline.peaks.values(), roofline.bytes_per_second
        ridges = [peak / speed for peak in peaks]
        intensities = [*(p.cost.intensity for p in roofline.points), *ridges]
        rates = [*(p.cost.macs / p.seconds for p in roofline.points), *peaks]
        self.x0, self.x1 = _decades(intensities, beyond=3.0)
        self.y0, self.y1 = _decades(rates, beyond=1.5)

    def x(self, intensity: float) -> float:
        share = (math.log10(intensity) - self.x0) / (self.x1 - self.x0)
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * share

    def y(self, rate: float) -> float:
        share = (math.log10(rate) - self.y0) / (self.y1 - self.y0)
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * share

    def grid(self) -> str:
        parts = []
        for power in range(self.x0, self.x1 + 1):
            x = self.x(10**power)
            parts.append(_line(x, _TOP, x, _HEIGHT - _BOTTOM, _GRID))
            parts.append(_text(x, _HEIGHT - _BOTTOM + 18, f"{10**power:g}", "middle"))
        for power in range(self.y0, self.y1 + 1):
            y = self.y(10**power)
            parts.append(_line(_LEFT, y, _WIDTH - _RIGHT, y, _GRID))
            parts.append(_text(_LEFT - 6, y + 4, f"{10**power / _GIGA:g}", "end"))
        parts.append(_text((_LEFT + _WIDTH) / 2, _HEIGHT - 10, "MAC a byte", "middle"))
        return "".join([*parts, _text(4, 14, "10⁹ MAC a second", "start")])


def _decades(values: list[float], beyond: float) -> tuple[int, int]:
    return (math.floor(math.log10(min(values) / beyond)),
            math.ceil(math.log10(max(values) * beyond)))  # fmt: skip


def _roof(axes: _Axes, roofline: Roofline, kind: str) -> str:
    """From the left edge up with the memory's speed, and flat from where the peak is reached."""
    peak, speed = roofline.peaks[kind], roofline.bytes_per_second
    low = max(10**axes.x0, 10**axes.y0 / speed)
    places = [(low, low * speed), (peak / speed, peak), (10**axes.x1, peak)]
    path = " ".join(f"{axes.x(x):.1f},{axes.y(y):.1f}" for x, y in places)
    label = f"{kind}, {peak / _GIGA:.0f}"
    return (
        f'<polyline points="{path}" fill="none" stroke="{_COLOURS[kind]}" stroke-width="2"/>'
        + _text(_WIDTH - _RIGHT - 4, axes.y(peak) - 6, label, "end", _COLOURS[kind])
    )


def _dot(axes: _Axes, number: int, point: Point) -> str:
    x, y = axes.x(point.cost.intensity), axes.y(point.cost.macs / point.seconds)
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{_COLOURS[point.cost.kind]}" '
        f'stroke="#fff"/>' + _text(x + 8, y + 4, str(number), "start", _INK)
    )


def _line(x0: float, y0: float, x1: float, y1: float, colour: str) -> str:
    return f'<path d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}" stroke="{colour}"/>'


def _text(x: float, y: float, words: str, anchor: str, colour: str = _SOFT) -> str:
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">'
            f"{escape(words)}</text>")  # fmt: skip
