"""The shape of the metal: seams, weld beads, bolts, corrugations, tread and scratches.

A `Shape` gathers two fields as parts are added to it: the height of the surface in pixels, which
the light is computed from, and the places where rust likes to begin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from corrosion_edge.render.noise import Field, fractal, ramp, soften

__all__ = ["LAYOUTS", "Shape", "build", "scratches"]


@dataclass(slots=True)
class Shape:
    """A surface under construction, `size` = (height, width) pixels."""

    rng: np.random.Generator
    size: tuple[int, int]
    height: Field = field(init=False)
    nuclei: Field = field(init=False)
    marks: Field = field(init=False)

    def __post_init__(self) -> None:
        self.height = np.zeros(self.size, np.float32)
        self.nuclei = np.zeros(self.size, np.float32)
        self.marks = np.zeros(self.size, np.float32)

    @property
    def unit(self) -> float:
        """One hundredth of the shorter side: sizes in units look alike in every resolution."""
        return min(self.size) / 100.0

    def draw(self, low: float, high: float) -> float:
        """A number drawn evenly from [low, high)."""
        return float(self.rng.uniform(low, high))


def _edge(shape: Shape, across: Field, width: float, strength: float) -> None:
    """Let rust begin within `width` pixels of the line where `across` is 0."""
    near = np.exp(-np.abs(across) / np.float32(width))
    shape.nuclei = np.maximum(shape.nuclei, np.float32(strength) * near)


def _seam(shape: Shape, position: float, *, vertical: bool) -> None:
    """A lap joint: one sheet lies over the other, with a dark gap under its edge."""
    y, x = np.indices(shape.size, dtype=np.float32)
    across = (x if vertical else y) - np.float32(position)
    lip, gap = 0.5 * shape.unit, 0.35 * shape.unit
    shape.height += np.float32(lip) * ramp(across, -0.3 * lip, 0.3 * lip)
    shape.marks += 0.8 * np.exp(-((across / max(gap, 0.7)) ** 2))
    _edge(shape, across, 2.5 * shape.unit, shape.draw(0.8, 1.2))


def _weld(shape: Shape, position: float, *, vertical: bool) -> None:
    """A weld bead: a low rounded ridge with the curved ripples that the pool leaves."""
    y, x = np.indices(shape.size, dtype=np.float32)
    along, offset = (y, x) if vertical else (x, y)
    wander = fractal(shape.rng, shape.size, 20 * shape.unit, octaves=2)
    across = (offset - np.float32(position) + 0.25 * shape.unit * wander) / (1.8 * shape.unit)
    bead = np.sqrt(np.clip(1.0 - across * across, 0.0, 1.0))
    ripple = np.sin((along / shape.unit - 0.9 * across * across) * 2 * np.pi / 1.3)
    shape.height += (shape.unit * bead * (0.8 + 0.14 * ripple)).astype(np.float32)
    shape.marks += 0.25 * ramp(-np.abs(across), -1.5, -0.9)
    _edge(shape, (across * shape.unit).astype(np.float32), 3.5 * shape.unit, shape.draw(0.8, 1.2))


def _window(shape: Shape, y: float, x: float, reach: float) -> tuple[slice, slice]:
    """The part of the picture within `reach` pixels of a point; empty if it lies outside."""
    (top, bottom), (left, right) = (
        (min(max(0, int(middle - reach)), length), min(max(0, int(middle + reach) + 1), length))
        for middle, length in zip((y, x), shape.size, strict=True)
    )
    return slice(top, bottom), slice(left, right)


def _bolt(shape: Shape, y: float, x: float, radius: float, *, hexagonal: bool) -> None:
    """A rivet's dome, or a hexagon head on its washer, at one point."""
    window = _window(shape, y, x, 3 * radius)
    rows, columns = np.ogrid[window]
    down, right = (rows - y) / radius, (columns - x) / radius
    distance = np.hypot(down, right).astype(np.float32)
    if hexagonal:
        turn = np.arctan2(down, right) + shape.draw(0.0, np.pi)
        side = distance * np.cos((turn % (np.pi / 3)) - np.pi / 6)
        head = 0.5 * ramp(-side.astype(np.float32), -0.9, -0.75) + 0.15 * ramp(
            -distance, -1.5, -1.4
        )
    else:
        head = 0.6 * np.sqrt(np.clip(1.0 - distance**2, 0.0, 1.0))
    shape.height[window] += (radius * head).astype(np.float32)
    rim = 1.5 if hexagonal else 1.05
    shape.marks[window] += 0.3 * np.exp(-(((distance - rim) / 0.16) ** 2))
    near = shape.draw(0.5, 1.5) * np.exp(-np.maximum(distance - rim, 0.0) / 0.7)
    shape.nuclei[window] = np.maximum(shape.nuclei[window], near.astype(np.float32))


def _bolt_row(shape: Shape, position: float, *, vertical: bool) -> None:
    """Fasteners at even steps along a line."""
    radius, hexagonal = shape.draw(1.2, 2.4) * shape.unit, bool(shape.rng.random() < 0.5)
    step = radius * shape.draw(6.0, 11.0)
    length = shape.size[0 if vertical else 1]
    for along in np.arange(shape.draw(0.2, 0.8) * step, length, step):
        y, x = (along, position) if vertical else (position, along)
        _bolt(shape, float(y), float(x), radius, hexagonal=hexagonal)


def _plate(shape: Shape) -> None:
    """A plain sheet, sometimes with a weld, sometimes with a line of fasteners."""
    vertical = bool(shape.rng.random() < 0.5)
    length = shape.size[1 if vertical else 0]
    if shape.rng.random() < 0.5:
        _weld(shape, shape.draw(0.2, 0.8) * length, vertical=vertical)
    else:
        _bolt_row(shape, shape.draw(0.1, 0.9) * length, vertical=vertical)


def _panels(shape: Shape) -> None:
    """Overlapping sheets: one or two parallel joints, and fasteners along the first."""
    vertical = bool(shape.rng.random() < 0.5)
    length = shape.size[1 if vertical else 0]
    count = int(shape.rng.integers(1, 3))
    for part in range(count):
        position = (part + shape.draw(0.25, 0.75)) * length / count
        _seam(shape, position, vertical=vertical)
        if part == 0:
            _bolt_row(shape, position + 4.5 * shape.unit, vertical=vertical)
    if shape.rng.random() < 0.4:
        across = shape.size[0 if vertical else 1]
        _seam(shape, shape.draw(0.2, 0.8) * across, vertical=not vertical)


def _corrugated(shape: Shape) -> None:
    """Upright waves of a cladding or container wall."""
    pitch = shape.draw(14, 26) * shape.unit
    x = np.arange(shape.size[1], dtype=np.float32)
    wave = np.sin(2 * np.pi * x / pitch + shape.draw(0, 6.28))
    profile = np.tanh(wave * shape.draw(0.8, 3.0)).astype(np.float32)
    shape.height += 0.09 * pitch * profile[None, :]
    shape.nuclei = np.maximum(shape.nuclei, 0.45 * ramp(-profile, 0.2, 0.9)[None, :])
    if shape.rng.random() < 0.6:
        _bolt_row(shape, shape.draw(0.15, 0.85) * shape.size[0], vertical=False)


def _tank(shape: Shape) -> None:
    """The side of a large cylinder with one weld round it."""
    axis = (np.arange(shape.size[1], dtype=np.float32) / shape.size[1] - shape.draw(0.35, 0.65)) * 2
    shape.height += 0.22 * shape.size[1] * np.sqrt(np.clip(1.6 - axis**2, 0.05, None))[None, :]
    _weld(shape, shape.draw(0.25, 0.75) * shape.size[0], vertical=False)


def _tread(shape: Shape) -> None:
    """Chequer plate: raised lozenges, every second one turned by a right angle."""
    pitch = shape.draw(7, 12) * shape.unit
    y, x = np.indices(shape.size, dtype=np.float32)
    u, v = (x + y) / (1.414 * pitch), (x - y) / (1.414 * pitch)
    odd = ((np.floor(u) + np.floor(v)) % 2).astype(bool)
    du, dv = u % 1 - 0.5, v % 1 - 0.5
    long, short = np.where(odd, du, dv), np.where(odd, dv, du)
    body = 1.0 - (long / 0.46) ** 2 - (short / 0.15) ** 2
    shape.height += (0.07 * pitch * np.sqrt(np.clip(body, 0.0, 1.0))).astype(np.float32)
    _edge(shape, body.astype(np.float32), 0.5, 0.3)


LAYOUTS: tuple[Callable[[Shape], None], ...] = (_plate, _panels, _corrugated, _tank, _tread)


def scratches(shape: Shape, count: int) -> Field:
    """Thin straight scratches as a field in [0, 1]; rust likes to begin in them."""
    lines = np.zeros(shape.size, np.float32)
    y, x = np.indices(shape.size, dtype=np.float32)
    for _ in range(count):
        angle, reach = shape.draw(0, np.pi), shape.draw(4, 25) * shape.unit
        middle = shape.draw(0, shape.size[0]), shape.draw(0, shape.size[1])
        along = (x - middle[1]) * np.cos(angle) + (y - middle[0]) * np.sin(angle)
        across = (y - middle[0]) * np.cos(angle) - (x - middle[1]) * np.sin(angle)
        across = across + 0.002 * along * along / max(shape.unit, 0.1) * shape.draw(-1, 1)
        thin = np.exp(-((across / max(0.12 * shape.unit, 0.45)) ** 2))
        lines = np.maximum(lines, shape.draw(0.3, 1.0) * thin * ramp(-np.abs(along), -reach, 0.0))
    shape.nuclei = np.maximum(shape.nuclei, 0.9 * soften(lines, 0.8 * shape.unit))
    return lines.astype(np.float32)


def build(
    rng: np.random.Generator,
    size: tuple[int, int],
    layout: Callable[[Shape], None] | None = None,
) -> Shape:
    """A shape of `size` = (height, width), of the given layout or of one drawn by `rng`."""
    shape = Shape(rng, size)
    chosen = LAYOUTS[int(rng.integers(len(LAYOUTS)))]
    (layout or chosen)(shape)
    dents = fractal(rng, size, 45 * shape.unit, octaves=2)
    shape.height += shape.draw(0.0, 0.25) * shape.unit * dents
    return shape
