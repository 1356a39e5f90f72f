"""What is kept of a photo to find its copies: hashes, local features, a small grey picture."""

from dataclasses import dataclass
from typing import Final

import cv2
import imagehash
import numpy as np
import numpy.typing as npt
from PIL import Image

from corrosion_edge.frame import require_rgb

__all__ = [
    "HASH_BITS",
    "MIRRORED",
    "SIDE",
    "Features",
    "describe",
    "hash_distance",
    "rooted",
    "shrink",
]

SIDE: Final = 320
"""Longest side, in pixels, at which a photo is described; smaller photos are enlarged to it."""

HASH_BITS: Final = 64

_POINTS: Final = 300  # key points kept, the strongest first
_CONTRAST: Final = 0.005  # of SIFT; the default, 0.04, finds nothing on smooth metal
_FLIPS: Final = (
    None,
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.ROTATE_180,
)


def _mirrored_bins() -> npt.NDArray[np.int64]:
    rows, columns, angles = np.indices((4, 4, 8))
    return (((3 - rows) * 4 + columns) * 8 + (8 - angles) % 8).ravel()


MIRRORED: Final = _mirrored_bins()
"""``descriptor[MIRRORED]`` is the descriptor of the same point in the mirrored picture.

SIFT's 4 x 4 cells of 8 directions lie along the point's own direction; a mirror turns the order
of one side of the cells and the sense of the angles around.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """A described photo.

    ``hashes`` bool [4, 64]: pHash upright, mirrored, upside down and turned by 180 degrees.
    ``points`` float32 [n, 2]: x, y of key points in pixels of ``grey``. ``descriptors`` uint8
    [n, 128]: SIFT. ``grey`` uint8 [h, w]: the photo with its longest side at ``SIDE`` pixels.
    """

    hashes: npt.NDArray[np.bool_]
    points: npt.NDArray[np.float32]
    descriptors: npt.NDArray[np.uint8]
    grey: npt.NDArray[np.uint8]

    def __post_init__(self) -> None:
        if self.hashes.shape != (len(_FLIPS), HASH_BITS):
            raise ValueError(f"hashes: expected [4, {HASH_BITS}], got {self.hashes.shape}")
        if self.descriptors.shape != (len(self.points), MIRRORED.size):
            raise ValueError(
                f"descriptors: expected [{len(self.points)}, 128], got {self.descriptors.shape}"
            )


def shrink(pixels: npt.NDArray[np.uint8], side: int = SIDE) -> Image.Image:
    """Scale uint8 [h, w, 3] RGB: its longest side to ``side`` pixels, the other to at least 8."""
    require_rgb(pixels)
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size = (max(round(width * scale), 8), max(round(height * scale), 8))
    way = Image.Resampling.BILINEAR if scale < 1 else Image.Resampling.BICUBIC
    return Image.fromarray(np.ascontiguousarray(pixels)).resize(size, way)


def describe(small: Image.Image) -> Features:
    """Describe a photo that ``shrink`` made small.

    pHash is that of the ImageHash library (Buchner), SIFT (Lowe, 2004) that of OpenCV.
    """
    grey = small.convert("L")
    pixels = np.asarray(grey)
    found, descriptors = cv2.SIFT.create(
        nfeatures=_POINTS, contrastThreshold=_CONTRAST, enable_precise_upscale=True
    ).detectAndCompute(pixels, None)  # fmt: skip
    points = np.array([point.pt for point in found[:_POINTS]], np.float32).reshape(-1, 2)
    if descriptors is None:
        descriptors = np.zeros((0, MIRRORED.size), np.float32)
    return Features(
        hashes=_hashes(grey),
        points=points,
        descriptors=np.clip(descriptors[:_POINTS], 0, 255).astype(np.uint8),
        grey=pixels,
    )


def hash_distance(
    one: npt.NDArray[np.bool_], others: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """Differing bits, 0 to 64, between one photo's upright hash and each flip of others.

    ``one`` is bool [4, 64], ``others`` bool [..., 4, 64]; the result [..., 4].
    """
    return np.asarray(np.count_nonzero(others != one[0], axis=-1))


def rooted(descriptors: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Descriptors [n, 128] whose inner products are similarities from 0 to 1.

    The square roots of bins that add up to 1: RootSIFT (Arandjelovic and Zisserman, 2012).
    """
    wide = descriptors.astype(np.float32)
    return np.sqrt(wide / np.maximum(wide.sum(axis=1, keepdims=True), 1))


def _hashes(grey: Image.Image) -> npt.NDArray[np.bool_]:
    small = grey.resize((64, 64), Image.Resampling.BILINEAR)
    flipped = [small if flip is None else small.transpose(flip) for flip in _FLIPS]
    return np.stack([imagehash.phash(picture).hash.ravel() for picture in flipped])
