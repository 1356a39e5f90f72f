"""The low-resolution stream of a Raspberry Pi's image processor."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt

from corrosion_edge.errors import SourceError

__all__ = ["LowStream", "low_size"]

_TIMES: Final = 2
"""How much larger than what is wanted the stream is, so that its halved colour is not halved once
more than the picture's, and the last step of scaling is the one that was measured."""


def low_size(main: tuple[int, int], wanted: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    """Width and height to ask for, in pixels; None where nothing is to be gained.

    In the shape of the ``main`` stream, for an image processor may cut off what another shape has
    no room for; even, as planes of half the width and height need it.
    """
    if not wanted:
        return None
    share = max(_TIMES * side / of for size in wanted for side, of in zip(size, main, strict=True))
    width, height = (2 * round(share * side / 2) for side in main)
    return (width, height) if width < main[0] and height < main[1] else None


class LowStream:
    """Turns what comes of the stream as it was ``granted`` (size, stride) into ``sizes``.

    ``colours`` is the colour space that was asked for, in libcamera's words.
    """

    FORMAT: ClassVar[str] = "YUV420"

    def __init__(
        self, granted: Mapping[str, Any], colours: str, sizes: Sequence[tuple[int, int]]
    ) -> None:
        from corrosion_edge.device.sources.scaling import Scaling

        self._width, self._height = granted["size"]
        self._stride = granted["stride"]
        self._matrix, self._range = _colours(colours)
        self._scaling = Scaling(sizes)

    def scaled(self, pixels: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], ...]:
        """The picture in each size, uint8 [h, w, 3] RGB, from uint8 [height * 3 / 2, stride].

        Raises SourceError for pixels of another shape.
        """
        import av

        expected = (self._height * 3 // 2, self._stride)
        if pixels.dtype != np.uint8 or pixels.shape != expected:
            raise SourceError(
                f"expected a low-resolution stream of uint8 {expected}, the camera delivers "
                f"{pixels.dtype} {pixels.shape}; add --no-scale-at-source"
            )
        picture = av.VideoFrame.from_ndarray(self._packed(pixels), format="yuv420p")
        picture.colorspace, picture.color_range = self._matrix, self._range
        return self._scaling.scaled(picture)

    def _packed(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Without what the image processor puts behind each row of its planes."""
        if self._stride == self._width:
            return pixels
        luma = pixels[: self._height, : self._width]
        colour = pixels[self._height :].reshape(self._height, self._stride // 2)
        flat = np.concatenate([luma.ravel(), colour[:, : self._width // 2].ravel()])
        return flat.reshape(self._height * 3 // 2, self._width)


def _colours(space: str) -> tuple[int, int]:
    """FFmpeg's numbers of the matrix (AVColorSpace) and the range (AVColorRange)."""
    bt709, smpte170m, limited, full = 1, 6, 1, 2
    if "709" in space:
        return bt709, limited
    return smpte170m, full if "sycc" in space.lower() else limited
