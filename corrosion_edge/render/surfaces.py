"""Surfaces before any rust: bare steel, coatings, red paint, hard shadows and dirt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from corrosion_edge.render.build import Shape, build, scratches
from corrosion_edge.render.light import Lamp, Picture, develop, hang_lamp, linear, shade
from corrosion_edge.render.noise import Field, cells, fractal, grain, ramp

__all__ = ["SURFACES", "Surface", "lay"]

SURFACES = ("steel", "paint", "red-paint", "shadow", "dirt")

COATINGS = (
    (196, 199, 198),  # light grey
    (222, 222, 216),  # white
    (150, 156, 160),  # machine grey
    (58, 98, 150),  # blue
    (108, 148, 178),  # pale blue
    (70, 118, 92),  # green
    (120, 160, 138),  # pale green
)
REDS = ((168, 36, 34), (190, 44, 36), (142, 34, 36), (196, 66, 50))
SOILS = ((122, 104, 82), (146, 134, 116), (96, 82, 68), (132, 122, 108))


@dataclass(frozen=True, slots=True)
class Surface:
    """A lit surface and what rust needs to know of it.

    `clean` is the picture without rust, float32 [h, w, 3] in 0..255; `shape` its relief; `lamp`
    its light; `coated` whether paint covers the metal.
    """

    clean: Picture
    shape: Shape
    lamp: Lamp
    coated: bool


def _brushed(shape: Shape) -> Field:
    """Long fine lines of a brush, and the soft bright bars that they draw out across them."""
    along = (0.25, 60.0) if shape.rng.random() < 0.6 else (60.0, 0.25)
    lines = fractal(shape.rng, shape.size, 6 * shape.unit, octaves=4, gain=0.8, stretch=along)
    fine = shape.draw(0.03, 0.08) * lines + 0.02 * grain(shape.rng, shape.size)
    bars = (12.0, 0.5) if along[0] < 1 else (0.5, 12.0)
    return fine + shape.draw(0.1, 0.3) * _mirrored(shape, bars)


def _rolled(shape: Shape) -> Field:
    """The even, faintly streaked look of rolled sheet."""
    cloud = fractal(
        shape.rng, shape.size, 10 * shape.unit, octaves=6, gain=0.6, stretch=(0.3, 12.0)
    )
    fine = 0.025 * cloud + 0.02 * grain(shape.rng, shape.size)
    return fine + shape.draw(0.05, 0.2) * _mirrored(shape, (3.0, 1.0))


def _galvanised(shape: Shape) -> Field:
    """The spangle of zinc: flat crystals, each reflecting a little differently."""
    spangle = cells(shape.rng, shape.size, max(2.0, shape.draw(2, 5) * shape.unit)) - 0.5
    fine = shape.draw(0.12, 0.3) * spangle + 0.02 * grain(shape.rng, shape.size)
    return fine + shape.draw(0.03, 0.12) * _mirrored(shape, (2.0, 2.0))


def _mirrored(shape: Shape, stretch: tuple[float, float]) -> Field:
    """The blurred surroundings that bare metal mirrors, bright and dark, in (-1, 1)."""
    return np.tanh(fractal(shape.rng, shape.size, 60 * shape.unit, octaves=1, stretch=stretch))


def _lit(shape: Shape, lamp: Lamp, albedo: Picture, *, gloss: float) -> Picture:
    diffuse, highlight = shade(shape.height, lamp, gloss=gloss)
    gap = 1.0 - 0.85 * np.clip(shape.marks, 0.0, 1.0)
    return (albedo * diffuse[..., None] + highlight[..., None]) * gap[..., None] * lamp.field


def _steel(shape: Shape) -> Picture:
    finish: Callable[[Shape], Field] = (_brushed, _rolled, _galvanised)[int(shape.rng.integers(3))]
    tone = linear(*(np.array([186, 190, 194]) + shape.rng.integers(-24, 25)))
    value = 1.0 + finish(shape)
    value = value * (1.0 + 0.35 * scratches(shape, int(shape.rng.integers(4, 14))))
    return np.clip(value, 0.05, None)[..., None] * tone


def _coating(shape: Shape, colours: tuple[tuple[int, int, int], ...]) -> Picture:
    tone = linear(*colours[int(shape.rng.integers(len(colours)))])
    tone = tone * shape.draw(0.85, 1.15)
    shape.height += 0.012 * shape.unit * fractal(shape.rng, shape.size, 2.5 * shape.unit, octaves=2)
    fade = fractal(shape.rng, shape.size, 60 * shape.unit, octaves=5, gain=0.55)
    value = 1.0 + shape.draw(0.005, 0.03) * fade + 0.012 * grain(shape.rng, shape.size)
    worn = scratches(shape, int(shape.rng.integers(1, 7)))[..., None] * 0.5
    chalk = 0.5 * tone + 0.5 * linear(200, 200, 196)
    return (value[..., None] * (tone + worn * (chalk - tone))).astype(np.float32)


def _wash(shape: Shape) -> Field:
    """Faint grey rain marks down a weathered surface, a factor just below 1."""
    rain = fractal(shape.rng, shape.size, 9 * shape.unit, octaves=4, stretch=(9.0, 0.5))
    return 1.0 - shape.draw(0.0, 0.06) * ramp(rain, 0.2, 2.0)


def _soil(shape: Shape) -> tuple[Field, Picture]:
    """How far soil hides what lies below, in [0, 1], and its colour.

    A dusty film, mud thrown up from below that thins out at its borders, and spatter.
    """
    y = np.indices(shape.size, dtype=np.float32)[0] / shape.size[0]
    low = shape.draw(0.3, 1.5) * (y - 0.6) * 2
    cloud = fractal(shape.rng, shape.size, 40 * shape.unit, octaves=8, gain=0.65)
    smear = fractal(shape.rng, shape.size, 14 * shape.unit, octaves=6, stretch=(5.0, 0.6))
    mud = np.exp(2.2 * (0.8 * cloud + 0.35 * smear + low - shape.draw(0.7, 2.0)))
    drops = fractal(shape.rng, shape.size, 2.2 * shape.unit, octaves=2) + 0.6 * low
    thickness = mud + 1.5 * ramp(drops, 2.0, 2.8) + shape.draw(0.02, 0.2)
    tone = linear(*SOILS[int(shape.rng.integers(len(SOILS)))])
    crumbs = 1.0 + 0.08 * fractal(shape.rng, shape.size, 3 * shape.unit, octaves=4, gain=0.8)
    wet = 1.0 - 0.35 * ramp(thickness, 0.8, 4.0)
    shape.height += (0.25 * shape.unit * ramp(thickness * crumbs, 0.6, 3.0)).astype(np.float32)
    cover = (0.94 * (1.0 - np.exp(-thickness))).astype(np.float32)
    return cover, np.clip(crumbs * wet, 0.3, 1.7)[..., None] * tone


def _albedo(kind: str, shape: Shape) -> tuple[Picture, float, bool]:
    """Reflectance, gloss and whether the metal is coated."""
    bare = kind == "steel" or (kind in ("shadow", "dirt") and shape.rng.random() < 0.4)
    if bare:
        return _steel(shape), shape.draw(0.1, 0.4), False
    colours = REDS if kind == "red-paint" else COATINGS
    albedo = _coating(shape, colours) * _wash(shape)[..., None]
    return albedo, shape.draw(0.03, 0.3), True


def lay(kind: str, rng: np.random.Generator, size: tuple[int, int]) -> Surface:
    """A surface of `kind` (one of `SURFACES`) and `size` = (height, width), free of rust."""
    shape = build(rng, size)
    lamp = hang_lamp(rng, size, shadow=kind == "shadow")
    albedo, gloss, coated = _albedo(kind, shape)
    if kind == "dirt":
        cover, soil = _soil(shape)
        albedo = albedo + cover[..., None] * (soil - albedo)
        gloss *= 0.3
    clean = develop(_lit(shape, lamp, albedo, gloss=gloss))
    return Surface(clean, shape, lamp, coated)
