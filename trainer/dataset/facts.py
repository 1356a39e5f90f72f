"""Single numbers about a photo that a model could cheat by, and whether it has colour."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from corrosion_edge.trainer.data import Photo
from corrosion_edge.trainer.dataset.header import Header, read_header

__all__ = ["FEATURES", "Facts", "facts_of", "numbers_of"]

FEATURES: Final = {
    "greyscale": "greyscale or not",
    "width": "width, pixels",
    "height": "height, pixels",
    "pixels": "width × height",
    "aspect": "width / height",
    "bytes_per_pixel": "bytes of the file / pixels",
    "jpeg_quality": "JPEG quality, estimated",
    "red": "mean red, 0 to 255",
    "green": "mean green",
    "blue": "mean blue",
    "hue": "mean hue, degrees",
    "saturation": "mean saturation, 0 to 1",
    "orange": "fraction of orange pixels",
    "brightness": "mean brightness, 0 to 255",
    "contrast": "standard deviation of brightness",
    "sharpness": "variance of the Laplacian",
}
"""Name and meaning of each number of a photo."""

_ORANGE: Final = (5.0, 30.0)  # degrees of hue
_VIVID: Final = 0.2  # least saturation, and least value, of an orange pixel
_GREY: Final = 10  # levels between a pixel's channels that JPEG leaves in a grey photo
_COLOURED: Final = 0.001  # share of the pixels of a grey photo that may differ more


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one readable photo; ``place`` is its path below the folder.

    ``numbers`` has the keys of ``FEATURES``.
    """

    photo: Photo
    place: str
    sha256: str
    size: int
    header: Header
    numbers: dict[str, float]

    def __post_init__(self) -> None:
        if set(self.numbers) != set(FEATURES):
            raise ValueError(f"numbers: expected {list(FEATURES)}, got {list(self.numbers)}")

    @property
    def greyscale(self) -> bool:
        """Whether the photo shows no colour, also where it is stored as RGB."""
        return bool(self.numbers["greyscale"])

    @property
    def misnamed(self) -> bool:
        """Whether the content is of another format than the file's ending says."""
        return not self.header.fits(Path(self.place))


def facts_of(
    photo: Photo, place: str, data: bytes, pixels: npt.NDArray[np.uint8], small: Image.Image
) -> Facts:
    """Gather the facts of a photo.

    ``data`` is its file, ``pixels`` uint8 [h, w, 3] what was decoded, upright, and ``small`` what
    ``features.shrink`` made of that.
    """
    height, width = pixels.shape[:2]
    header = read_header(data)
    numbers = {
        "greyscale": float(_is_grey(pixels)),
        "width": float(width),
        "height": float(height),
        "pixels": float(width * height),
        "aspect": width / height,
        "bytes_per_pixel": len(data) / (width * height),
        "jpeg_quality": float(header.quality),
    }
    return Facts(
        photo=photo,
        place=place,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        header=header,
        numbers=numbers | numbers_of(np.asarray(small)),
    )


def numbers_of(pixels: npt.NDArray[np.uint8]) -> dict[str, float]:
    """The numbers of uint8 [h, w, 3] RGB that its pixels give.

    Hue is the direction of the mean over all pixels, each as long as its saturation. Sharpness
    is the variance of the Laplacian (Pech-Pacheco et al., 2000).
    """
    hsv = cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
    hue, saturation, value = (hsv[..., i] for i in range(3))
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    vivid = (saturation > _VIVID) & (value > _VIVID)
    orange = vivid & (hue >= _ORANGE[0]) & (hue <= _ORANGE[1])
    arrow = np.mean(saturation * np.exp(1j * np.deg2rad(hue)))
    red, green, blue = pixels.reshape(-1, 3).mean(axis=0).tolist()
    return {
        "red": red,
        "green": green,
        "blue": blue,
        "hue": float(np.rad2deg(np.angle(arrow)) % 360),
        "saturation": float(saturation.mean()),
        "orange": float(orange.mean()),
        "brightness": float(grey.mean()),
        "contrast": float(grey.std()),
        "sharpness": float(cv2.Laplacian(grey, cv2.CV_32F).var()),
    }


def _is_grey(pixels: npt.NDArray[np.uint8]) -> bool:
    """Whether nearly every pixel's channels are equal but for what JPEG leaves."""
    spread = pixels.max(axis=2) - pixels.min(axis=2)
    return bool(np.mean(spread > _GREY) <= _COLOURED)
