"""Whether what a source scaled is what the reference would have made of the same picture."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from corrosion_edge import image
from corrosion_edge.frame import Frame

__all__ = ["LIMIT", "Parity", "difference"]

LIMIT: Final = 4.0
"""Levels of 255 that a scaled picture may differ from the reference's, on average: chosen on
photos, see docs/device.md."""


def difference(frame: Frame) -> float:
    """The mean absolute difference, in levels of 255, of the scaled picture that differs most."""
    return max((_off(frame.pixels, small) for small in frame.scaled), default=0.0)


def _off(pixels: npt.NDArray[np.uint8], small: npt.NDArray[np.uint8]) -> float:
    height, width, _ = small.shape
    reference = image.prepare(pixels, image.Preprocessing(width, height))
    return float(np.abs(reference.astype(np.int16) - small).mean())


class Parity:
    """Compares each camera's first picture, its second, fourth, eighth and so on.

    Whoever differs by more than ``LIMIT`` once is not believed any more: the reference scales for
    it from then on, and that is said.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._seen: Counter[str] = Counter()
        self._off: set[str] = set()

    def checked(self, frame: Frame) -> Frame:
        """The frame, without what was scaled where that is not to be believed."""
        if not frame.scaled:
            return frame
        if frame.camera not in self._off and self._is_due(frame.camera):
            self._compare(frame)
        return replace(frame, scaled=()) if frame.camera in self._off else frame

    def _is_due(self, camera: str) -> bool:
        """At powers of two: often while all is new, and hardly ever after a day."""
        self._seen[camera] += 1
        return not self._seen[camera] & (self._seen[camera] - 1)

    def _compare(self, frame: Frame) -> None:
        if (off := difference(frame)) <= LIMIT:
            return
        self._off.add(frame.camera)
        of = f"{frame.camera}: " if frame.camera else ""
        self._say(
            f"{of}what the source scaled differs from its picture by {off:.1f} of 255 levels, "
            f"limit {LIMIT:g}; scaled here from now on"
        )
