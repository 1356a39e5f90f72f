"""A decoded picture in RGB, in its own size and in the network's."""

import threading
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from av.video.reformatter import VideoReformatter

from corrosion_edge.frame import Deferred, Picture

__all__ = ["Scaling"]

# Without full chroma each two pixels of a row share a colour: on 1080p pictures the result is 3
# levels of 255 away from the reference on average, with it 0.2.
_FLAGS: Final = 0x2 | 0x2000 | 0x40000
"""SWS_BILINEAR, SWS_FULL_CHR_H_INT, SWS_ACCURATE_RND of libswscale/swscale.h; PyAV 14 knows no
names for the last two."""


class Scaling:
    """Converts pictures of one track; what libswscale computes for a size is kept for the next.

    ``size`` (width, height) is the second one that is wanted, None for none.
    """

    def __init__(self, size: tuple[int, int] | None = None) -> None:
        self._size = size
        self._full, self._small = VideoReformatter(), VideoReformatter()
        self._lock = threading.Lock()

    def both(self, picture: Any) -> tuple[Picture, npt.NDArray[np.uint8] | None]:
        """The picture in its own size, turned as its display matrix says, and in ``size``.

        Where there is the second, the first is made only if somebody wants it, by their thread.
        """
        small = self._scaled(picture)
        if small is None:
            return self._whole(picture), None
        return Deferred((picture.width, picture.height), partial(self._whole, picture)), small

    def _whole(self, picture: Any) -> npt.NDArray[np.uint8]:
        with self._lock:
            pixels = self._full.reformat(picture, format="rgb24").to_ndarray()
        return np.ascontiguousarray(np.rot90(pixels, round(picture.rotation / 90)))

    def _scaled(self, picture: Any) -> npt.NDArray[np.uint8] | None:
        """The whole picture in ``size``; None where that is not wanted, or would enlarge it.

        None also for a picture in RGB: there no conversion costs the reference anything.
        """
        if self._size is None or picture.rotation or picture.format.is_rgb:
            return None
        width, height = self._size
        if picture.width < width or picture.height < height:
            return None
        # In planes: the same values as rgb24, which libswscale writes without vector instructions.
        scaled = self._small.reformat(picture, width, height, "gbrp", interpolation=_FLAGS)
        return np.asarray(scaled.to_ndarray(), dtype=np.uint8)
