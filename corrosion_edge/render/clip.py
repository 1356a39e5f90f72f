"""The demonstration clip: one painted surface on which rust spreads while the camera sways."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from corrosion_edge.render.light import Picture
from corrosion_edge.render.rust import Rusting
from corrosion_edge.render.scene import scene

__all__ = ["clip", "coverage"]

SWAY = 6  # pixels the camera may drift either way
HEAVY = 0.65  # coverage at the last frame
NOISE = 1.2  # standard deviation of the sensor noise, in steps of 255


def coverage(index: int, frames: int) -> float:
    """The share of the surface under rust in frame `index` of `frames`.

    The first tenth stays clean, the last tenth stays at its heaviest, and between the two the
    growth eases in and out.
    """
    t = index / max(frames - 1, 1)
    t = min(max((t - 0.1) / 0.8, 0.0), 1.0)
    return HEAVY * t * t * (3 - 2 * t)


def _sensor(rng: np.random.Generator, size: tuple[int, int]) -> Picture:
    """A sheet of noise larger than a frame, to cut a different part from for each frame."""
    sheet = rng.standard_normal((size[1] + 64, size[0] + 64, 3), dtype=np.float32)
    return sheet * np.float32(NOISE)


def _seen(picture: Picture, index: int, size: tuple[int, int]) -> Picture:
    """The part of the picture that the drifting camera sees, float32 of `size`."""
    right = SWAY * (1 + 0.8 * np.sin(index * 0.043))
    down = SWAY * (1 + 0.8 * np.sin(index * 0.031 + 1.3))
    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
    shift = (1, 0, float(right), 0, 1, float(down))
    moved = image.transform(size, Image.Transform.AFFINE, shift, Image.Resampling.BILINEAR)
    return np.asarray(moved, np.float32)


def clip(
    *, frames: int = 60, size: tuple[int, int] = (640, 480), seed: int = 7
) -> Iterator[NDArray[np.uint8]]:
    """Frames uint8 [height, width, 3] RGB of a painted surface going from clean to heavily rusted.

    What has rusted stays rusted; see `coverage` for the pace. `size` = (width, height). The fields
    are computed once, by the call. Raises ValueError for fewer than one
    frame or a size below 16 pixels.
    """
    if frames < 1:
        raise ValueError(f"frames must be at least 1, got {frames}.")
    stages = scene("paint", seed=seed, size=(size[0] + 2 * SWAY, size[1] + 2 * SWAY))
    return _shoot(stages, frames, size, np.random.default_rng([seed, 2]))


def _shoot(
    stages: Rusting, frames: int, size: tuple[int, int], rng: np.random.Generator
) -> Iterator[NDArray[np.uint8]]:
    sensor = _sensor(rng, size)
    for index in range(frames):
        seen = _seen(stages.picture(coverage(index, frames)), index, size)
        top, left = rng.integers(0, 64, 2)
        noisy = seen + sensor[top : top + size[1], left : left + size[0]]
        noisy += 0.5
        yield np.clip(noisy, 0, 255, out=noisy).astype(np.uint8)
