"""Alterations of a photo that a model in the field meets, each at a row of levels.

A photo is first scaled so that its longer side has ``REFERENCE`` pixels: a blur of 2 px or a JPEG
quality of 30 then means the same for every photo. What is altered is that picture, before
``image.prepare`` makes the network's input of it.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageEnhance, ImageFilter

from corrosion_edge import image
from corrosion_edge.image import Preprocessing

__all__ = ["REFERENCE", "SLICES", "Base", "Slice", "reference", "views"]

REFERENCE: Final = 640
"""Longer side, in pixels, of the picture that is altered."""

Pixels = npt.NDArray[np.uint8]


class Base:
    """The picture that is altered, uint8 [h, w, 3] RGB, and what several levels share of it."""

    def __init__(self, pixels: Pixels) -> None:
        self.pixels = pixels
        self.picture = Image.fromarray(pixels)

    @cached_property
    def hsv(self) -> tuple[Image.Image, ...]:
        """Hue, saturation and value, 8 bits each."""
        return self.picture.convert("HSV").split()

    @cached_property
    def noise(self) -> npt.NDArray[np.float32]:
        """Standard normal noise [h, w, 3], seeded by the photo: the same at every level."""
        rng = np.random.default_rng(int(image.digest(self.pixels)[:16], 16))
        return rng.standard_normal(self.pixels.shape, np.float32)


Alteration = Callable[[Base, float], Image.Image]


@dataclass(frozen=True, slots=True)
class Slice:
    """One alteration: ``levels`` in rising order, without ``plain``, which changes nothing.

    ``unit`` names the levels on an axis; ``pattern`` formats one for a sentence. ``alter`` takes
    the picture and the level. ``plain_text`` is what stands for the plain level on an axis.
    """

    name: str
    title: str
    unit: str
    pattern: str
    plain: float
    levels: tuple[float, ...]
    alter: Alteration
    plain_text: str = ""

    def __post_init__(self) -> None:
        if not self.levels or list(self.levels) != sorted(set(self.levels) - {self.plain}):
            raise ValueError(f"levels: expected rising ones without the plain, got {self.levels}")

    @property
    def sides(self) -> tuple[tuple[float, ...], ...]:
        """The levels below and those above the plain one, each from mild to strong."""
        below = tuple(sorted((v for v in self.levels if v < self.plain), reverse=True))
        above = tuple(v for v in self.levels if v > self.plain)
        return tuple(side for side in (below, above) if side)

    def text(self, level: float) -> str:
        """The level in a sentence, such as ``blur sigma 2 px``."""
        return self.pattern.format(level)

    def tick(self, level: float) -> str:
        """The level on an axis or in a table."""
        return self.plain_text if self.plain_text and level == self.plain else f"{level:g}"


def reference(pixels: Pixels) -> Pixels:
    """Scale uint8 [h, w, 3] RGB so that the longer side has ``REFERENCE`` pixels."""
    height, width = pixels.shape[:2]
    scale = REFERENCE / max(height, width)
    spec = Preprocessing(max(1, round(width * scale)), max(1, round(height * scale)))
    return image.prepare(pixels, spec)


def views(pixels: Pixels, spec: Preprocessing) -> Pixels:
    """A photo as it is and in every slice at every level: uint8 [1 + levels, h, w, 3] RGB.

    ``pixels`` is uint8 [h, w, 3] RGB of any size; the views are prepared for ``spec``, in the
    order of ``SLICES``.
    """
    base = Base(reference(pixels))
    altered = [np.asarray(piece.alter(base, level)) for piece in SLICES for level in piece.levels]
    return np.stack([image.prepare(view, spec) for view in (base.pixels, *altered)])


def _saturation(base: Base, factor: float) -> Image.Image:
    return ImageEnhance.Color(base.picture).enhance(factor)


def _hue(base: Base, degrees: float) -> Image.Image:
    """Turns the hue and keeps saturation and value; Pillow counts a turn in 256 steps."""
    hue, saturation, value = base.hsv
    step = round(degrees * 256 / 360)
    turned = hue.point([(h + step) % 256 for h in range(256)])
    return Image.merge("HSV", (turned, saturation, value)).convert("RGB")


def _brightness(base: Base, factor: float) -> Image.Image:
    return ImageEnhance.Brightness(base.picture).enhance(factor)


def _contrast(base: Base, factor: float) -> Image.Image:
    return ImageEnhance.Contrast(base.picture).enhance(factor)


def _blur(base: Base, sigma: float) -> Image.Image:
    """Pillow's radius is the standard deviation; three box blurs come close to the Gaussian."""
    return base.picture.filter(ImageFilter.GaussianBlur(sigma))


def _jpeg(base: Base, quality: float) -> Image.Image:
    stream = io.BytesIO()
    base.picture.save(stream, "JPEG", quality=int(quality))
    return Image.open(stream).convert("RGB")


def _noise(base: Base, sigma: float) -> Image.Image:
    noisy = base.pixels + np.float32(sigma) * base.noise
    return Image.fromarray(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))


def _coarse(base: Base, factor: float) -> Image.Image:
    size = [max(1, round(side / factor)) for side in base.picture.size]
    return base.picture.resize((size[0], size[1]), Image.Resampling.BILINEAR)


def _turn(base: Base, degrees: float) -> Image.Image:
    turns = {
        90: Image.Transpose.ROTATE_90,
        180: Image.Transpose.ROTATE_180,
        270: Image.Transpose.ROTATE_270,
    }
    return base.picture.transpose(turns[int(degrees)])


_HUES = (-135.0, -90.0, -45.0, -15.0, 15.0, 45.0, 90.0, 135.0, 180.0)

SLICES: Final = (
    Slice("greyscale", "Greyscale", "saturation, 0 is grey", "greyscale, saturation {:g}",
          1, (0, 0.25, 0.5, 0.75), _saturation),
    Slice("hue", "Hue", "turned by, degrees", "hue {:+g}°", 0, _HUES, _hue),
    Slice("brightness", "Brightness", "factor", "brightness × {:g}",
          1, (0.25, 0.5, 0.75, 1.25, 1.5, 2), _brightness),
    Slice("contrast", "Contrast", "factor", "contrast × {:g}",
          1, (0.25, 0.5, 0.75, 1.5, 2), _contrast),
    Slice("blur", "Gaussian blur", f"sigma, px of {REFERENCE}", "blur sigma {:g} px",
          0, (0.5, 1, 2, 3, 4, 6), _blur),
    Slice("jpeg", "JPEG compression", "quality", "JPEG quality {:g}",
          101, (5, 10, 15, 30, 50, 75, 95), _jpeg, "none"),
    Slice("noise", "Gaussian noise", "sigma, of 255", "noise sigma {:g}",
          0, (5, 10, 20, 40), _noise),
    Slice("resolution", "Resolution", f"{REFERENCE} px divided by", "1/{:g} of the resolution",
          1, (2, 4, 8, 16), _coarse),
    Slice("rotation", "Rotation", "degrees", "rotation {:g}°", 0, (90, 180, 270), _turn),
)  # fmt: skip
"""What every evaluation tries, in the order of the page."""
