"""The demonstration: a rendered clip of rust spreading over a painted surface."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from corrosion_edge.device.sources.source import Source
from corrosion_edge.frame import Frame
from corrosion_edge.render import clip

__all__ = ["DemoSource"]

Pixels = npt.NDArray[np.uint8]


class DemoSource(Source):
    """The rendered clip, ``frames`` long, ``size`` = (width, height) in pixels.

    It is delivered as fast as it is read, and has no time of its own.
    """

    def __init__(self, *, frames: int = 60, size: tuple[int, int] = (640, 480)) -> None:
        self.name = "demo, a rendered clip"
        self._clip: Iterator[tuple[int, Pixels]] = enumerate(clip(frames=frames, size=size))

    def read(self) -> Frame | None:
        """See ``Source.read``."""
        for index, pixels in self._clip:
            return Frame.now(pixels, index)
        return None

    def close(self) -> None:
        """See ``Source.close``."""
        self._clip = iter(())
