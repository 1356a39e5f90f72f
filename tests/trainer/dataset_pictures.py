"""Rendered pictures for the tests of the data set's commands."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from corrosion_edge.render import SURFACES, surface


def picture(number: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """A rendered surface; each number another one."""
    kind = SURFACES[number % len(SURFACES)]
    return Image.fromarray(surface(kind, rust=0.3 * (number % 2), seed=700 + number, size=size))


def save(whole: Image.Image, path: Path, **options: Any) -> Path:
    """Write a picture, its folder made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole.save(path, **options)
    return path


def noise(seed: int) -> Image.Image:
    """A picture of smooth blobs, 64 x 48, that no other seed's is like."""
    coarse = np.random.default_rng(seed).integers(0, 255, (8, 8, 3), np.uint8)
    return Image.fromarray(coarse).resize((64, 48), Image.Resampling.BICUBIC)
