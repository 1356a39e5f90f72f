"""A region of interest: a rectangle in pixels, or in fractions of the picture."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corrosion_edge.errors import MisfitError, UsageError

__all__ = ["Region"]

_ROUNDING = 1e-9  # 0.7 + 0.3 is a little over 1 in no number system but this


@dataclass(frozen=True, slots=True)
class Region:
    """Left and top edge, width and height, of the upright picture.

    In pixels, or with ``fraction`` in parts of the picture's width and height, within [0, 1].
    Raises UsageError when made with no area or a negative edge.
    """

    left: float
    top: float
    width: float
    height: float
    fraction: bool = False

    def __post_init__(self) -> None:
        if not (self.left >= 0 and self.top >= 0 and self.width > 0 and self.height > 0):
            raise UsageError(f"roi: expected edges of 0 or more and an area, got {self}")
        if self.fraction and not self._within(1, 1):
            raise UsageError(f"roi: fractions reach beyond the picture: {self}")

    def __str__(self) -> str:
        return f"{self.left:g},{self.top:g},{self.width:g},{self.height:g}"

    @classmethod
    def parse(cls, text: str) -> "Region":
        """``X,Y,W,H``: fractions where one has a decimal point, else pixels (UsageError)."""
        parts = text.split(",")
        try:
            left, top, width, height = map(float, parts)
        except ValueError:
            raise UsageError(f"roi: expected four numbers X,Y,W,H, got {text!r}") from None
        return cls(left, top, width, height, fraction="." in text)

    def cut(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """That part of uint8 [h, w, 3], at least one pixel (MisfitError beyond a border)."""
        height, width = pixels.shape[:2]
        if not self.fraction and not self._within(width, height):
            raise MisfitError(f"--roi {self}: reaches beyond the picture of {width}x{height}")
        across, down = (width, height) if self.fraction else (1, 1)
        left, right = _ends(self.left * across, self.width * across, width)
        top, bottom = _ends(self.top * down, self.height * down, height)
        return pixels[top:bottom, left:right]

    def _within(self, width: float, height: float) -> bool:
        right, bottom = self.left + self.width, self.top + self.height
        return right <= width + _ROUNDING and bottom <= height + _ROUNDING


def _ends(start: float, length: float, most: int) -> tuple[int, int]:
    """Whole pixels, at least one."""
    first = min(round(start), most - 1)
    return first, min(max(round(start + length), first + 1), most)
