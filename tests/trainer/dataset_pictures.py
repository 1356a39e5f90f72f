"""Versions of rendered pictures, as people make them, for the tests of the data set's commands."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from corrosion_edge.render import SURFACES, surface


def picture(number: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """A rendered surface; each number another one."""
    kind = SURFACES[number % len(SURFACES)]
    return Image.fromarray(surface(kind, rust=0.3 * (number % 2), seed=700 + number, size=size))


def crop(share: float) -> Callable[[Image.Image], Image.Image]:
    """Cut to a share of each side, off the middle."""

    def cut(whole: Image.Image) -> Image.Image:
        width, height = int(whole.width * share), int(whole.height * share)
        left, top = int(0.7 * (whole.width - width)), int(0.2 * (whole.height - height))
        return whole.crop((left, top, left + width, top + height))

    return cut


def caption(whole: Image.Image) -> Image.Image:
    """A white strip with words below."""
    larger = Image.new("RGB", (whole.width, int(1.15 * whole.height)), "white")
    larger.paste(whole)
    ImageDraw.Draw(larger).text((20, whole.height + 4), "stock photo 123456", "black", font_size=18)
    return larger


VERSIONS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "crop 95 %": crop(0.95),
    "crop 75 %": crop(0.75),
    "crop 60 %": crop(0.60),
    "half size": lambda whole: whole.resize((whole.width // 2, whole.height // 2)),
    "stretched": lambda whole: whole.resize((int(1.3 * whole.width), whole.height)),
    "mirrored": ImageOps.mirror,
    "upside down": ImageOps.flip,
    "quarter turn": lambda whole: whole.transpose(Image.Transpose.ROTATE_90),
    "border": lambda whole: ImageOps.expand(whole, 30, "black"),
    "caption": caption,
    "darker": lambda whole: ImageEnhance.Brightness(whole).enhance(0.7),
    "less contrast": lambda whole: ImageEnhance.Contrast(whole).enhance(0.7),
    "grey": lambda whole: whole.convert("L").convert("RGB"),
    "mirrored crop": lambda whole: ImageOps.mirror(crop(0.8)(whole)),
}


def save(whole: Image.Image, path: Path, **options: Any) -> Path:
    """Write a picture, its folder made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole.save(path, **options)
    return path


def noise(seed: int) -> Image.Image:
    """A picture of smooth blobs, 64 x 48, that no other seed's is like."""
    coarse = np.random.default_rng(seed).integers(0, 255, (8, 8, 3), np.uint8)
    return Image.fromarray(coarse).resize((64, 48), Image.Resampling.BICUBIC)
