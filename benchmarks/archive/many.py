"""Many photos made of few: rendered ones, and hard links to them."""

import os
from collections.abc import Sequence
from pathlib import Path

__all__ = ["linked", "rendered"]


def rendered(folder: Path, count: int, size: tuple[int, int]) -> list[Path]:
    """So many JPEGs of surfaces, ``size`` (width, height), in a folder that is there."""
    from PIL import Image

    from corrosion_edge.render import SURFACES, surface

    names = list(SURFACES)
    for number in range(count):
        pixels = surface(names[number % len(names)], rust=number % 4 / 5, seed=number, size=size)
        Image.fromarray(pixels).save(folder / f"{number:02}.jpg", quality=90)
    return sorted(folder.iterdir())


def linked(photos: Sequence[Path], folder: Path, count: int) -> Path:
    """A folder with ``count`` hard links to the photos in turn, a thousand in each folder below."""
    for number in range(count):
        place = folder / f"{number // 1000:04}"
        if number % 1000 == 0:
            place.mkdir(parents=True)
        os.link(photos[number % len(photos)], place / f"{number:07}.jpg")
    return folder
