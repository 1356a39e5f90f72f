"""Reading a photo once: its digest, its pixels, its features."""

import hashlib
import io
from pathlib import Path

import numpy as np
import numpy.typing as npt

from corrosion_edge import image
from corrosion_edge.errors import ImageError
from corrosion_edge.trainer.dataset.features import Features, describe, shrink

__all__ = ["content", "features_of", "pixels_of"]


def content(path: Path) -> bytes:
    """A file's bytes (ImageError, naming it, if it cannot be read)."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror})") from None


def pixels_of(data: bytes, path: Path) -> npt.NDArray[np.uint8]:
    """Decode a photo's bytes to uint8 [h, w, 3] RGB, upright (ImageError, naming ``path``)."""
    return image.read(io.BytesIO(data), str(path))


def features_of(path: Path) -> tuple[str, Features] | ImageError:
    """The SHA-256 of a photo's file and its features; or the error, if it cannot be read."""
    try:
        data = content(path)
        features = describe(shrink(pixels_of(data, path)))
    except ImageError as error:
        return error
    return hashlib.sha256(data).hexdigest(), features
