"""Versions of a picture as people make them, to see whether they are found again."""

import io
from collections.abc import Callable, Mapping
from typing import Final

from PIL import Image, ImageDraw, ImageEnhance, ImageOps

__all__ = ["VERSIONS", "Change", "caption", "crop"]

Change = Callable[[Image.Image], Image.Image]


def crop(share: float) -> Change:
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
    words = 0.075 * whole.height
    place = (0.06 * whole.width, whole.height + 0.02 * whole.height)
    ImageDraw.Draw(larger).text(place, "stock photo 123456", "black", font_size=words)
    return larger


def _scaled(across: float, down: float) -> Change:
    return lambda whole: whole.resize((int(across * whole.width), int(down * whole.height)))


def _encoded(quality: int) -> Change:
    """Written as JPEG of a quality and read back."""

    def encode(whole: Image.Image) -> Image.Image:
        stream = io.BytesIO()
        whole.save(stream, "JPEG", quality=quality)
        return Image.open(stream).convert("RGB")

    return encode


VERSIONS: Final[Mapping[str, Change]] = {
    "JPEG quality 30": _encoded(30),
    "crop 95 %": crop(0.95),
    "crop 75 %": crop(0.75),
    "crop 60 %": crop(0.60),
    "half size": _scaled(0.5, 0.5),
    "stretched": _scaled(1.3, 1),
    "mirrored": ImageOps.mirror,
    "upside down": ImageOps.flip,
    "quarter turn": lambda whole: whole.transpose(Image.Transpose.ROTATE_90),
    "border": lambda whole: ImageOps.expand(whole, max(2, whole.width // 10), "black"),
    "caption": caption,
    "darker": lambda whole: ImageEnhance.Brightness(whole).enhance(0.7),
    "less contrast": lambda whole: ImageEnhance.Contrast(whole).enhance(0.7),
    "grey": lambda whole: whole.convert("L").convert("RGB"),
    "mirrored crop": lambda whole: ImageOps.mirror(crop(0.8)(whole)),
}
"""What is done to a picture, by name; crops are shares of each side."""
