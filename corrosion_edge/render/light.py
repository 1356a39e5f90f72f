"""Light, lens and sensor: from reflectance and height to the values of a photograph.

Reflectance and light are linear; `develop` applies the shoulder and the sRGB-like gamma.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from corrosion_edge.render.noise import Field, fractal, ramp

__all__ = ["Lamp", "Picture", "develop", "expose", "hang_lamp", "linear", "shade"]

Picture = NDArray[np.float32]

GAMMA = 2.2  # the power law that sRGB approximates


@dataclass(frozen=True, slots=True)
class Lamp:
    """Where the light comes from and how it falls off over the picture.

    `direction` is a unit vector (right, down, towards the camera); `field` is the illumination
    [height, width, 3] with the lamp's colour, the gradient, the vignette and any hard shadow.
    """

    direction: tuple[float, float, float]
    field: Picture


def linear(red: int, green: int, blue: int) -> NDArray[np.float32]:
    """A display colour in 0..255 as linear reflectance [3] in 0..1."""
    return (np.array([red, green, blue], np.float32) / 255.0) ** np.float32(GAMMA)


def _falloff(rng: np.random.Generator, size: tuple[int, int]) -> Field:
    """The slow gradient across the surface times the lens's vignette."""
    rows, columns = np.indices(size, dtype=np.float32)
    y, x = rows / size[0] - 0.5, columns / size[1] - 0.5
    angle, slope = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.55)
    gradient = 1.0 + slope * (x * np.cos(angle) + y * np.sin(angle))
    vignette = 1.0 - rng.uniform(0.1, 0.5) * (x * x + y * y)
    return (gradient * vignette * rng.uniform(0.8, 1.1)).astype(np.float32)


def _hard_shadow(rng: np.random.Generator, size: tuple[int, int]) -> Field:
    """1 in the sun and 0 in the shade of beams, a railing or a roof's edge."""
    y, x = np.indices(size, dtype=np.float32) / np.float32(min(size))
    angle = rng.uniform(0, np.pi)
    across = x * np.cos(angle) + y * np.sin(angle) + rng.uniform(-0.1, 0.1)
    soft = rng.uniform(0.004, 0.02)
    if rng.random() < 0.5:
        return ramp(across - np.float32(across.mean()), -soft, soft)
    pitch, share = rng.uniform(0.2, 0.6), rng.uniform(0.3, 0.6)
    wave = np.abs((across / pitch) % 1.0 - 0.5) * 2
    return ramp(wave.astype(np.float32), share - soft / pitch, share + soft / pitch)


def hang_lamp(rng: np.random.Generator, size: tuple[int, int], *, shadow: bool) -> Lamp:
    """A lamp drawn by `rng`, with hard shadows if `shadow`."""
    azimuth, height = rng.uniform(-2.4, -0.7), rng.uniform(0.6, 1.1)
    direction = (
        float(np.cos(azimuth) * np.cos(height)),
        float(np.sin(azimuth) * np.cos(height)),
        float(np.sin(height)),
    )
    warmth = rng.uniform(-0.05, 0.05)
    colour = np.array([1.0 + warmth, 1.0, 1.0 - warmth], np.float32)
    field = _falloff(rng, size)[..., None] * colour
    shade_cast, depth = _hard_shadow(rng, size)[..., None], rng.uniform(0.12, 0.3)
    if shadow:
        sky = depth * np.array([0.92, 1.0, 1.12], np.float32)
        field = field * (sky + (1.15 - sky) * shade_cast)
    return Lamp(direction, field.astype(np.float32))


def shade(
    height: Field, lamp: Lamp, *, gloss: float, sharpness: float = 30.0
) -> tuple[Field, Field]:
    """Diffuse factor (1 where flat) and highlight (0..gloss) of a surface, each [height, width].

    Lambert's cosine law with an ambient share of 0.35, and Blinn's half-vector highlight.
    """
    down, right = np.gradient(height)
    norm = 1.0 / np.sqrt(1.0 + down * down + right * right)
    lx, ly, lz = lamp.direction
    facing = np.clip((lz - right * lx - down * ly) * norm, 0.0, None)
    half = np.array([lx, ly, lz + 1.0]) / np.sqrt(2.0 + 2.0 * lz)
    glint = np.clip((half[2] - right * half[0] - down * half[1]) * norm, 0.0, 1.0)
    highlight = gloss * glint ** np.float32(sharpness)
    return (0.35 + 0.65 * facing / lz).astype(np.float32), highlight.astype(np.float32)


def develop(picture: Picture) -> Picture:
    """Linear light [h, w, 3] as display values 0..255, with a soft shoulder below white."""
    light = np.maximum(picture, 0.0)
    light = light / (1.0 + light**4) ** np.float32(0.25)
    return (255.0 * light ** np.float32(1 / GAMMA)).astype(np.float32)


def expose(rng: np.random.Generator, display: Picture) -> NDArray[np.uint8]:
    """Display values 0..255 as a camera delivers them: lens blur, sensor noise, 8 bits."""
    sharp = Image.fromarray(np.clip(display, 0, 255).astype(np.uint8))
    blurred = sharp.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.2, 0.8))))
    values = np.asarray(blurred, np.float32)
    fine = rng.standard_normal(values.shape, dtype=np.float32)
    coarse = fractal(rng, values.shape[:2], 2.0, octaves=1)[..., None]
    noise = float(rng.uniform(0.5, 2.5)) * (0.7 * fine + 0.5 * coarse)
    return np.clip(values + noise + 0.5, 0, 255).astype(np.uint8)
