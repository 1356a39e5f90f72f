"""Whether a picture shows enough for a verdict, judged before one is given."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from corrosion_edge import image
from corrosion_edge.errors import UsageError

__all__ = ["MISFIT", "SPEC", "Gate", "Limits", "Quality", "assess"]

SPEC: Final = image.Preprocessing(224, 224)
"""The fixed size at which pictures are measured, for blur and detail depend on it."""

MISFIT: Final = "misfit"
"""The word for a picture that does not hold what is to be judged of it."""

_BLOCKS: Final = 14  # blocks each way: of 16 pixels

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a picture at ``SPEC`` stops being usable; levels are of grey, 0..255.

    ``dark_below``: 99 % of the pixels are darker. ``bright_above``: 95 % are as bright or
    brighter. ``covered_below``: in nine of ten blocks of 16 x 16 pixels the standard deviation is
    less, in levels. ``blurred_below``: the variance of the Laplacian is less, in levels squared
    (Pech-Pacheco et al. 2000). The defaults are justified in docs/device.md. Raises UsageError
    for a negative limit.
    """

    dark_below: float = 48.0
    bright_above: float = 240.0
    covered_below: float = 5.0
    blurred_below: float = 20.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not getattr(self, name) >= 0:
                raise UsageError(f"{name}: expected 0 or more, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class Quality:
    """``word`` is ok, dark, bright, covered or blurred; ``value`` went past the ``limit``.

    Or it is ``MISFIT``, for the ``reason``.
    """

    word: str = "ok"
    value: float = 0.0
    limit: float = 0.0
    reason: str = ""

    @property
    def usable(self) -> bool:
        """Whether a verdict makes sense."""
        return self.word == "ok"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: unusable (the word), then value and limit, or the reason."""
        if self.reason:
            return {"unusable": self.word, "reason": self.reason}
        return {"unusable": self.word, "value": round(self.value, 2), "limit": self.limit}

    def __str__(self) -> str:
        if self.reason:
            return f"{self.word} ({self.reason})"
        return f"{self.word} ({self.value:.1f}, limit {self.limit:g})"


class Gate:
    """Measures pictures."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def check(self, small: Pixels, size: tuple[int, int]) -> Quality:
        """The quality of a picture of this width and height, from uint8 RGB of ``SPEC``'s size."""
        enlarged = size[0] < SPEC.width or size[1] < SPEC.height
        return assess(small, self._limits, enlarged=enlarged)


def assess(small: Pixels, limits: Limits, *, enlarged: bool = False) -> Quality:
    """The first of dark, bright, covered and blurred that uint8 RGB of ``SPEC``'s size is.

    One that was ``enlarged`` to that size is smooth by that, and not called blurred.
    """
    grey = Image.fromarray(small).convert("L")  # ITU-R BT.601 luma
    low, high = _percentiles(grey.histogram(), (5, 99))
    if high < limits.dark_below:
        return Quality("dark", high, limits.dark_below)
    if low >= limits.bright_above:
        return Quality("bright", low, limits.bright_above)
    levels = np.asarray(grey)
    if (detail := _detail(levels)) < limits.covered_below:
        return Quality("covered", detail, limits.covered_below)
    if not enlarged and (sharpness := _sharpness(levels)) < limits.blurred_below:
        return Quality("blurred", sharpness, limits.blurred_below)
    return Quality()


def _percentiles(counts: Sequence[int], which: tuple[float, ...]) -> list[float]:
    """As ``numpy.percentile`` (linear) of the levels that are counted, with nothing sorted."""
    up_to = list(accumulate(counts))
    found = []
    for percent in which:
        place = percent / 100 * (up_to[-1] - 1)
        below = int(place)
        low, high = bisect_right(up_to, below), bisect_right(up_to, below + 1)
        found.append(low + (place - below) * (min(high, 255) - low))
    return found


def _detail(grey: Pixels) -> float:
    """The standard deviation that nine of ten blocks do not reach (percentile 90, linear).

    From sums and sums of squares, which float32 holds exactly: 256 * 255**2 < 2**24.
    """
    values = grey.astype(np.float32)
    count = (grey.shape[0] // _BLOCKS) ** 2
    mean, square = _by_block(values) / count, _by_block(np.square(values)) / count
    spread = np.sort(np.sqrt(np.maximum(square - mean * mean, 0.0)), axis=None)
    place = 0.9 * (spread.size - 1)
    low, share = int(place), place % 1
    return float(spread[low] + share * (spread[low + 1] - spread[low]))


def _by_block(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """The sum of each block; of rows first, as they lie in memory."""
    side, width = values.shape[0] // _BLOCKS, values.shape[1]
    rows = values.reshape(_BLOCKS, side, width).sum(axis=1)
    return rows.reshape(_BLOCKS, _BLOCKS, side).sum(axis=2, dtype=np.float64)


def _sharpness(grey: Pixels) -> float:
    """The variance of the Laplacian with four neighbours.

    Computed on whole stretches of memory, and what runs over the edge of a row is left out.
    """
    height, width = grey.shape
    flat = grey.astype(np.int16).ravel()
    inner = flat[width + 1 : -width - 1]
    laplacian = np.zeros((height - 2) * width, np.int16)
    found = laplacian[: inner.size]
    np.add(flat[1 : -2 * width - 1], flat[2 * width + 1 : -1], out=found)
    found += flat[width : -width - 2]
    found += flat[width + 2 : -width]
    found -= 4 * inner
    rows = laplacian.reshape(height - 2, width)[:, : width - 2]
    return float(rows.astype(np.float32).var())
