"""Rust: when each pixel falls to it, what it looks like, and the mix with the clean surface.

`onset` is a rank in [0, 1): a pixel is under rust at coverage `rust` when `onset < rust`. So the
covered share equals `rust` to within two pixels, and what has rusted once stays rusted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corrosion_edge.render.build import Shape
from corrosion_edge.render.light import Picture, develop, linear, shade
from corrosion_edge.render.noise import Field, fractal, grain, ramp, rank
from corrosion_edge.render.surfaces import Surface

__all__ = ["Rusting", "corrode"]

# From black scale through brown and orange to dry ochre, in display values.
PALETTE = np.stack(
    [
        linear(*stop)
        for stop in (
            (38, 26, 22),
            (74, 42, 28),
            (112, 60, 32),
            (152, 80, 36),
            (186, 108, 52),
            (206, 146, 92),
        )
    ]
)
EDGE = 0.012  # in coverage: how far a pixel passes its onset until rust hides what was there
AGEING = 0.4  # in coverage: how far it passes until fresh orange has become brown scale


@dataclass(frozen=True, slots=True)
class Rusting:
    """A surface at every stage of its rusting.

    `clean`, `fresh` and `old` are pictures float32 [h, w, 3] in 0..255; `onset` and `opacity`
    are float32 [h, w] in [0, 1]. `lip` is how strongly the torn edge of the coating shows.
    """

    clean: Picture
    fresh: Picture
    old: Picture
    onset: Field
    opacity: Field
    lip: float

    def mask(self, rust: float) -> NDArray[np.bool_]:
        """Which pixels are under rust at coverage `rust` in [0, 1], bool [h, w]."""
        return self.onset < np.float32(rust)

    def picture(self, rust: float) -> Picture:
        """The surface at coverage `rust` in [0, 1], float32 [h, w, 3] in about 0..255."""
        depth = np.float32(rust) - self.onset
        cover = np.clip(depth * np.float32(1 / EDGE), 0.0, 1.0)
        age = np.clip(depth * np.float32(1 / AGEING), 0.0, 1.0)
        mixed = self.old - self.fresh
        mixed *= age[..., None]
        mixed += self.fresh
        mixed -= self.clean
        mixed *= (cover * (self.opacity + (1.0 - self.opacity) * age))[..., None]
        mixed += self.clean
        mixed[1:] *= (1.0 + np.float32(self.lip) * (cover[:-1] - cover[1:]))[..., None]
        return mixed


def _runs(shape: Shape, urge: Field) -> Field:
    """The urge to rust carried down by water: it fades along each column, faster in some."""
    column = fractal(shape.rng, (1, shape.size[1]), 3 * shape.unit, octaves=3, gain=0.8)
    fade = 0.07 * np.exp(0.9 * column[0]) / shape.unit
    wet = fractal(shape.rng, shape.size, 20 * shape.unit, octaves=3, stretch=(3.0, 0.5))
    fades = (fade * (1.0 + 0.4 * np.clip(wet, -1.5, 2.0))).astype(np.float32)
    runs = urge.copy()
    for row in range(1, shape.size[0]):
        np.maximum(urge[row], runs[row - 1] - fades[row], out=runs[row])
    return runs


def _onset(shape: Shape) -> tuple[Field, Field]:
    """Onset in [0, 1), and how much of a pixel's rust is a run from above, in [0, 1]."""
    rng, unit = shape.rng, shape.unit
    cloud = fractal(rng, shape.size, 40 * unit, octaves=8, gain=0.62)
    pits = fractal(rng, shape.size, 4 * unit, octaves=3, gain=0.7)
    rough = fractal(rng, shape.size, 10 * unit, octaves=5, gain=0.7)
    source = shape.draw(1.2, 2.2) * shape.nuclei * (1.0 + 0.5 * rough)
    urge = cloud + source + 0.5 * ramp(pits, 1.0, 2.2) + 0.05 * grain(rng, shape.size)
    runs = _runs(shape, urge.astype(np.float32)) - np.float32(0.35)
    felt = np.maximum(urge, runs)
    return rank(-felt), ramp((runs - urge).astype(np.float32), 0.0, 0.6)


def _paint_rust(index: Field) -> Picture:
    """Reflectance for a place on the palette, `index` in [0, 1]."""
    steps = np.linspace(0.0, 1.0, 256) * (len(PALETTE) - 1)
    table = np.stack([np.interp(steps, range(len(PALETTE)), band) for band in PALETTE.T], axis=1)
    return table.astype(np.float32)[(np.clip(index, 0.0, 1.0) * 255).astype(np.uint8)]


def _looks(surface: Surface, onset: Field, run: Field) -> tuple[Picture, Picture]:
    """Fresh and old rust under the surface's own light."""
    shape, unit = surface.shape, surface.shape.unit
    rng, size = shape.rng, shape.size
    broad = fractal(rng, size, 25 * unit, octaves=4)
    flakes = fractal(rng, size, 6 * unit, octaves=6, gain=0.7)
    fine = fractal(rng, size, 1.5 * unit, octaves=3, gain=0.9)
    layers = _terraces(fractal(rng, size, 14 * unit, octaves=6, gain=0.55))
    tone = shape.draw(0.36, 0.5) + 0.1 * broad + 0.05 * flakes + 0.05 * fine + 0.07 * layers
    tone = tone - 0.2 * ramp(flakes, 0.9, 1.6) * (1 - run)
    crust = 0.22 * np.abs(flakes) + 0.06 * fine + 0.35 * layers
    relief = shape.height + unit * (1 - 0.85 * run) * crust
    diffuse, _ = shade(relief.astype(np.float32), surface.lamp, gloss=0.0)
    lit = diffuse[..., None] * surface.lamp.field * 1.1
    fresh = _paint_rust(tone + 0.2 + 0.06 * run)
    old = _paint_rust(tone - 0.08 + 0.1 * run)
    return develop(fresh * lit), develop(old * lit)


def _terraces(field: Field) -> Field:
    """`field` cut into flat steps with short slopes between: layers of scale, partly fallen off."""
    steps = 1.6 * field
    floor = np.floor(steps)
    return (floor + ramp(steps - floor, 0.0, 0.2)) / np.float32(1.6)


def _opacity(shape: Shape, run: Field) -> Field:
    """How far rust hides the surface when young: crust nearly all, runs as streaky stains."""
    streaks = fractal(
        shape.rng, shape.size, 3 * shape.unit, octaves=4, gain=0.8, stretch=(20.0, 0.5)
    )
    stain = np.clip(0.5 + 0.22 * streaks, 0.1, 0.95)
    return (0.97 + run * (stain - 0.97)).astype(np.float32)


def corrode(surface: Surface) -> Rusting:
    """All that is needed to show `surface` at any coverage."""
    onset, run = _onset(surface.shape)
    fresh, old = _looks(surface, onset, run)
    opacity = _opacity(surface.shape, run)
    return Rusting(surface.clean, fresh, old, onset, opacity, 0.5 if surface.coated else 0.15)
