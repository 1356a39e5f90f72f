"""Ratios as SVG: a dot for each, its interval as a line, on a scale of doublings."""

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Final

from corrosion_edge.benchmarks.peers.ratio import Ratio

__all__ = ["drawing"]

_WIDTH: Final = 700
_LEFT: Final = 220
_RIGHT: Final = 180
_ROW: Final = 26
_TOP: Final = 14
_COLOURS: Final = {"slower": "#4477aa", "alike": "#59636b", "faster": "#cc6633"}
_INK: Final = "#1d2327"
_SOFT: Final = "#59636b"


def drawing(rows: Sequence[tuple[str, Ratio]]) -> str:
    """A row for each title and ratio; the thick line is 1, which is ours."""
    low = math.floor(math.log2(min(1.0, *(ratio.low for _, ratio in rows))))
    high = max(low + 1, math.ceil(math.log2(max(1.0, *(ratio.high for _, ratio in rows)))))
    bottom = _TOP + _ROW * len(rows)

    def x(value: float) -> float:
        share = (math.log2(value) - low) / (high - low)
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * share

    ticks = "".join(_tick(x(2.0**power), 2.0**power, bottom) for power in range(low, high + 1))
    drawn = "".join(_row(i, title, ratio, x) for i, (title, ratio) in enumerate(rows))
    height = bottom + 26
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="13">'
        f'<rect width="100%" height="100%" fill="#ffffff"/>{ticks}{drawn}</svg>'
    )


def _tick(x: float, value: float, bottom: int) -> str:
    weight, colour = ("2", _INK) if value == 1 else ("1", "#d5dade")
    line = f'<path d="M{x:.1f} {_TOP}V{bottom}" stroke="{colour}" stroke-width="{weight}"/>'
    return line + _text(x, bottom + 17, f"{value:g}×", _SOFT, "middle")


def _row(place: int, title: str, ratio: Ratio, x: Callable[[float], float]) -> str:
    y, colour = _TOP + _ROW * place + _ROW / 2, _COLOURS[ratio.verdict]
    return (
        _text(_LEFT - 12, y + 4, title, _INK, "end")
        + f'<path d="M{x(ratio.low):.1f} {y}H{x(ratio.high):.1f}" stroke="{colour}" '
        f'stroke-width="3"/><circle cx="{x(ratio.value):.1f}" cy="{y}" r="5" fill="{colour}"/>'
        + _text(_WIDTH - 4, y + 4, str(ratio), _SOFT, "end")
    )


def _text(x: float, y: float, words: str, colour: str, anchor: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}"'
    return f"<text {place}>{escape(words)}</text>"
