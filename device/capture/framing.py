"""Which part of a camera's picture is judged, and how it is turned."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from corrosion_edge import image
from corrosion_edge.device.capture.parity import Parity
from corrosion_edge.device.capture.region import Region
from corrosion_edge.device.sources.wish import LARGEST_SIDE
from corrosion_edge.errors import UsageError
from corrosion_edge.frame import Frame

__all__ = ["Framing", "Look"]

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Framing:
    """From the delivered picture to the judged one, in this order.

    It is scaled to ``resolution`` (width, height in pixels) if it has another; turned clockwise
    by ``rotate`` degrees (0, 90, 180 or 270); cut to ``roi``. Raises UsageError when made with
    another angle, or a side of more than ``LARGEST_SIDE``.
    """

    resolution: tuple[int, int] | None = None
    rotate: int = 0
    roi: Region | None = None

    def __post_init__(self) -> None:
        if self.rotate not in (0, 90, 180, 270):
            raise UsageError(f"rotate: expected 0, 90, 180 or 270 degrees, got {self.rotate}")
        if self.resolution and not all(1 <= side <= LARGEST_SIDE for side in self.resolution):
            got = "{}x{}".format(*self.resolution)
            raise UsageError(f"resolution: expected sides of 1 to {LARGEST_SIDE} pixels, got {got}")

    @property
    def takes_all(self) -> bool:
        """Whether the judged picture is the delivered one, if that has the ``resolution``."""
        return not (self.rotate or self.roi)

    def leaves(self, size: tuple[int, int]) -> bool:
        """Whether a delivered picture of this width and height is judged as it is."""
        return self.takes_all and self.resolution in (None, size)

    def apply(self, pixels: Pixels) -> Pixels:
        """Uint8 [h, w, 3] RGB in, the judged part out, contiguous (MisfitError beyond a border)."""
        if self.resolution:
            pixels = image.scaled(pixels, self.resolution)
        pixels = np.rot90(pixels, -self.rotate // 90)
        if self.roi is not None:
            pixels = self.roi.cut(pixels)
        return np.ascontiguousarray(pixels)


class Look:
    """Applies a framing to frames, and says, once for each, what the camera did not do itself.

    What a source scaled is compared with its picture (``Parity``).
    """

    def __init__(self, framing: Framing, say: Callable[[str], None]) -> None:
        self._framing = framing
        self._say = say
        self._parity = Parity(say)
        self._delivered: dict[str, tuple[int, int]] = {}

    def __call__(self, frame: Frame) -> Frame:
        """The frame as it is judged."""
        width, height = frame.size
        if (width, height) != self._delivered.get(frame.camera):
            self._delivered[frame.camera] = (width, height)
            self._explain(frame.camera, width, height)
        if self._framing.leaves(frame.size):
            return self._parity.checked(frame)
        return replace(frame, picture=self._framing.apply(frame.pixels), scaled=())

    def _explain(self, camera: str, width: int, height: int) -> None:
        wanted = self._framing.resolution
        if wanted and wanted != (width, height):
            of = f"{camera}: " if camera else ""
            size = f"{wanted[0]}x{wanted[1]}"
            self._say(f"{of}pictures come as {width}x{height}; scaled here to {size}")
