"""A decoded picture in RGB, in its own size and in those that are judged."""

import threading
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from av.video.reformatter import VideoReformatter

from corrosion_edge.frame import Deferred, Picture

__all__ = ["EXACT", "Scaling"]

# Without full chroma each two pixels of a row share a colour: on 1080p pictures the result is 3
# levels of 255 away from the reference on average, with it 0.2.
EXACT: Final = 0x2000 | 0x40000
"""SWS_FULL_CHR_H_INT, SWS_ACCURATE_RND of libswscale/swscale.h; PyAV 14 knows no names for them."""

_FLAGS: Final = 0x2 | EXACT  # SWS_BILINEAR


class Scaling:
    """Converts pictures of one track; what libswscale computes for a size is kept for the next.

    ``sizes`` (width, height) are wanted beside its own; of pictures of the size ``only``, if that
    is given.
    """

    def __init__(
        self, sizes: Sequence[tuple[int, int]] = (), only: tuple[int, int] | None = None
    ) -> None:
        self._only = only
        self._small = {size: VideoReformatter() for size in sizes}
        self._full = VideoReformatter()
        self._lock = threading.Lock()

    def both(self, picture: Any) -> tuple[Picture, tuple[npt.NDArray[np.uint8], ...]]:
        """The picture in its own size, turned as its display matrix says, and ``scaled``.

        Where there is the second, the first is made only if somebody wants it, by their thread.
        """
        small = self.scaled(picture)
        if not small:
            return self._whole(picture), ()
        return Deferred((picture.width, picture.height), partial(self._whole, picture)), small

    def scaled(self, picture: Any) -> tuple[npt.NDArray[np.uint8], ...]:
        """The whole picture in those ``sizes`` that do not enlarge it, uint8 [h, w, 3] RGB.

        In none for a turned one, nor one in RGB: there no conversion costs the reference anything.
        """
        own = (picture.width, picture.height)
        if picture.rotation or picture.format.is_rgb or self._only not in (None, own):
            return ()
        return tuple(_scaled(picture, size, by) for size, by in self._small.items()
                     if size[0] <= own[0] and size[1] <= own[1])  # fmt: skip

    def _whole(self, picture: Any) -> npt.NDArray[np.uint8]:
        with self._lock:
            made = self._full.reformat(picture, format="rgb24", interpolation=_FLAGS)
        pixels = made.to_ndarray()
        return np.ascontiguousarray(np.rot90(pixels, round(picture.rotation / 90)))


def _scaled(picture: Any, size: tuple[int, int], by: VideoReformatter) -> npt.NDArray[np.uint8]:
    # In planes: the same values as rgb24, which libswscale writes without vector instructions.
    scaled = by.reformat(picture, *size, "gbrp", interpolation=_FLAGS)
    return np.asarray(scaled.to_ndarray(), dtype=np.uint8)
