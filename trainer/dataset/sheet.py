"""Contact sheets: the photos of a group side by side, as one SVG picture that fetches nothing."""

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from corrosion_edge import image
from corrosion_edge.trainer.dataset.features import shrink

__all__ = ["COLUMNS", "contact_sheet", "picture_sheet"]

COLUMNS: Final = 6
"""Photos in a row."""

_SIDE: Final = 164  # pixels of a thumbnail's longest side
_GAP: Final = 12
_EDGE: Final = 6
_WORDS: Final = 40  # pixels under a thumbnail for its two lines
_QUALITY: Final = 78
_LETTERS: Final = 27  # that fit into a line
Pixels = npt.NDArray[np.uint8]
_INK = {"plain": "#59636b", "strong": "#1d2327"}


def contact_sheet(photos: Sequence[tuple[Path, str, str]]) -> str:
    """An SVG of photos, each (path, first line, second line), up to ``COLUMNS`` in a row.

    The photos are decoded here, so this is for those that are known to be readable.
    """
    return picture_sheet(
        [
            (np.asarray(shrink(image.read(path), _SIDE)), first, second)
            for path, first, second in photos
        ]
    )


def picture_sheet(pictures: Sequence[tuple[Pixels, str, str]]) -> str:
    """The same of decoded pictures, each (uint8 [h, w, 3] RGB, first line, second line)."""
    rows = -(-len(pictures) // COLUMNS)
    width = min(len(pictures), COLUMNS) * (_SIDE + _GAP) - _GAP + 2 * _EDGE
    height = rows * (_SIDE + _WORDS + _GAP) - _GAP + 2 * _EDGE
    cells = "".join(_cell(place, *picture) for place, picture in enumerate(pictures))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11.5">'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>{cells}</svg>'
    )


def _cell(place: int, pixels: Pixels, first: str, second: str) -> str:
    left = _EDGE + place % COLUMNS * (_SIDE + _GAP)
    top = _EDGE + place // COLUMNS * (_SIDE + _WORDS + _GAP)
    small = shrink(pixels, _SIDE)
    x, y = left + (_SIDE - small.width) // 2, top + (_SIDE - small.height) // 2
    lines = "".join(
        f'<text x="{left}" y="{top + _SIDE + 15 * (n + 1)}" fill="{ink}">{escape(_short(line))}'
        f"</text>"
        for n, (line, ink) in enumerate(zip((first, second), _INK.values(), strict=True))
    )
    return (
        f'<rect x="{left}" y="{top}" width="{_SIDE}" height="{_SIDE}" fill="#f4f6f7"/>'
        f'<image x="{x}" y="{y}" width="{small.width}" height="{small.height}" '
        f'href="data:image/jpeg;base64,{_jpeg(small)}"/>{lines}'
    )


def _jpeg(picture: Image.Image) -> str:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=_QUALITY)
    return base64.b64encode(stream.getvalue()).decode()


def _short(text: str) -> str:
    if len(text) <= _LETTERS:
        return text
    half = (_LETTERS - 1) // 2
    return f"{text[:half]}…{text[-half:]}"
