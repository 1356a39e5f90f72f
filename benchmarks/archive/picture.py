"""Charts of what an archive cost, as SVG."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import log10
from typing import Final

from corrosion_edge.benchmarks.archive.cost import Cost
from corrosion_edge.benchmarks.plots import round_step
from corrosion_edge.device.history.svg import HEIGHT, WIDTH, Point, chart

__all__ = ["cost_chart", "memory_chart"]

_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 40, 34, 40
_KINDS: Final = (("processor time", "#8c2f0b"), ("on the clock", "#4477aa"))


def cost_chart(costs: Sequence[Cost]) -> str:
    """Milliseconds a photo over the number of photos, which is drawn by its logarithm."""
    largest = max(max(cost.cpu_ms, cost.ms) for cost in costs)
    step = round_step(largest / 4)
    top = step * (int(largest / step) + 1)
    across = [_x(cost.photos, costs) for cost in costs]
    parts = [_level(i * step, top) for i in range(round(top / step) + 1)]
    for x, cost in zip(across, costs, strict=True):
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 20}" text-anchor="middle">'
                     f"{cost.photos:,}</text>")  # fmt: skip
    for number, (name, colour) in enumerate(_KINDS):
        values = [cost.ms if number else cost.cpu_ms for cost in costs]
        places = [(x, _y(value, top)) for x, value in zip(across, values, strict=True)]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in places)
        parts.append(f'<g fill="{colour}"><polyline points="{line}" fill="none" '
                     f'stroke="{colour}"/>{dots}<text x="{_LEFT + 230 * number}" y="20">'
                     f"{name}, ms a photo</text></g>")  # fmt: skip
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">'
        f'<rect width="100%" height="100%" fill="#ffffff"/>{"".join(parts)}'
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 4}" text-anchor="middle">photos</text></svg>'
    )


def memory_chart(cost: Cost) -> str:
    """Megabytes of all processes over time, of one run."""
    start = datetime(2000, 1, 1, tzinfo=UTC)
    points = [
        Point(start + timedelta(seconds=at), kept / 1e6, kept / 1e6, kept / 1e6)
        for at, kept in cost.memory
    ]
    largest = max((point.high for point in points), default=1.0)
    end = start + timedelta(seconds=max(cost.seconds, 1.0))
    return chart(f"MB of all processes, {cost.photos:,} photos", points, period=(start, end),
                 top=1.2 * largest, gap=timedelta(seconds=cost.seconds))  # fmt: skip


def _x(photos: int, costs: Sequence[Cost]) -> float:
    first, last = log10(costs[0].photos), log10(costs[-1].photos)
    share = (log10(photos) - first) / (last - first) if last > first else 0.5
    return _LEFT + 20 + (WIDTH - _LEFT - 20 - _RIGHT) * share


def _y(value: float, top: float) -> float:
    return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * value / top


def _level(value: float, top: float) -> str:
    y = _y(value, top)
    return (
        f'<path d="M{_LEFT} {y:.1f}H{WIDTH - 10}" stroke="#d5dade"/>'
        f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>'
    )
