"""Smooth random fields on a pixel grid: the raw material of grain, stains and rust.

Every field is float32 of shape [height, width]. Lengths are in pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Field = NDArray[np.float32]

__all__ = ["Field", "cells", "fractal", "grain", "ramp", "rank", "resized", "soften"]


def resized(field: Field, shape: tuple[int, int]) -> Field:
    """`field` interpolated (bicubic) to `shape` = (height, width)."""
    height, width = shape
    image = Image.fromarray(np.ascontiguousarray(field, dtype=np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC), np.float32)


def _octave(rng: np.random.Generator, shape: tuple[int, int], step: tuple[float, float]) -> Field:
    rows = min(shape[0], int(shape[0] / max(step[0], 1.0)) + 3)
    columns = min(shape[1], int(shape[1] / max(step[1], 1.0)) + 3)
    return resized(rng.standard_normal((rows, columns), dtype=np.float32), shape)


def fractal(
    rng: np.random.Generator,
    shape: tuple[int, int],
    scale: float,
    *,
    octaves: int = 5,
    gain: float = 0.5,
    stretch: tuple[float, float] = (1.0, 1.0),
) -> Field:
    """Value noise summed over octaves, with mean 0 and standard deviation 1.

    `scale` is the size of the largest blobs in pixels, `stretch` multiplies it down the rows and
    along the columns, and each octave halves the size and multiplies the amplitude by `gain`.
    """
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        size = scale / 2**octave
        total += gain**octave * _octave(rng, shape, (size * stretch[0], size * stretch[1]))
    total -= total.mean()
    return total / max(float(total.std()), 1e-6)


def grain(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    """White noise with standard deviation 1."""
    return rng.standard_normal(shape, dtype=np.float32)


def soften(field: Field, radius: float) -> Field:
    """`field` blurred to details of about `radius` pixels, by shrinking and enlarging it."""
    height, width = field.shape
    small = (max(1, round(height / max(radius, 1.0))), max(1, round(width / max(radius, 1.0))))
    image = Image.fromarray(np.ascontiguousarray(field, dtype=np.float32))
    box = image.resize((small[1], small[0]), Image.Resampling.BOX)
    return resized(np.asarray(box, np.float32), (height, width))


def ramp(field: Field, low: float, high: float) -> Field:
    """0 where `field` <= `low`, 1 where it is >= `high`, and the cubic smoothstep between."""
    t = np.clip((field - np.float32(low)) / np.float32(high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def rank(field: Field) -> Field:
    """The rank of each pixel's value divided by the number of pixels: evenly spread over [0, 1).

    Ties are broken by position, so the share of pixels below a level equals the level to within
    two pixels (one of them for the rounding to float32).
    """
    order = np.argsort(field, axis=None, kind="stable")
    ranks = np.empty(field.size, np.float32)
    ranks[order] = np.arange(field.size, dtype=np.float64) / field.size
    return ranks.reshape(field.shape)


def cells(rng: np.random.Generator, shape: tuple[int, int], step: float) -> Field:
    """A Voronoi mosaic of cells about `step` pixels wide, each with one value in [0, 1).

    One random point per square of a grid; a pixel takes the value of the nearest point among the
    nine squares around it (Worley, "A cellular texture basis function", 1996).
    """
    rows, columns = int(shape[0] / step) + 4, int(shape[1] / step) + 4
    points = rng.random((rows, columns, 3), dtype=np.float32)
    y, x = np.indices(shape, dtype=np.float32) / np.float32(step)
    row, column = y.astype(np.intp), x.astype(np.intp)
    nearest = np.full(shape, np.inf, np.float32)
    value = np.zeros(shape, np.float32)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            point = points[row + down + 1, column + right + 1]
            offset_y, offset_x = row + down + point[..., 0] - y, column + right + point[..., 1] - x
            distance = (offset_y * offset_y + offset_x * offset_x).astype(np.float32)
            closer = distance < nearest
            nearest = np.where(closer, distance, nearest)
            value = np.where(closer, point[..., 2], value)
    return value
