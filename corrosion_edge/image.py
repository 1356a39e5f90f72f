"""The one way a picture becomes the network's input, in training and on the device.

``read`` decodes a file; ``prepare`` scales. Training, calibration, evaluation and the camera
all call these two, so they cannot differ. Scaling is Pillow's antialiased bilinear filter;
TensorFlow's own resize does not antialias and would be a second, different input.
"""

import hashlib
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from corrosion_edge.errors import ImageError
from corrosion_edge.frame import require_rgb

__all__ = ["MAX_PIXELS", "Preprocessing", "digest", "prepare", "read", "read_prepared", "scaled"]

MAX_PIXELS = 89_478_485
"""Largest picture that is decoded, in pixels: Pillow's own limit, 256 MiB of RGB."""

_BAND = 2**17  # pixels

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """The specification of the network's input; it travels in the model file.

    The input is uint8 [height, width, 3], 0..255: the whole picture, upright, stretched to
    ``width`` x ``height`` pixels; scaling to the network's own range happens in the network.
    """

    width: int = 224
    height: int = 224
    colour: str = "RGB"
    resize: str = "stretch"
    filter: str = "pillow-bilinear-antialiased"
    dtype: str = "uint8"

    def __post_init__(self) -> None:
        for name, value in (("width", self.width), ("height", self.height)):
            if type(value) is not int or not 1 <= value <= 4096:
                raise ValueError(f"{name}: expected 1 to 4096 pixels, got {value!r}")
        fixed = ("RGB", "stretch", "pillow-bilinear-antialiased", "uint8")
        if (got := (self.colour, self.resize, self.filter, self.dtype)) != fixed:
            raise ValueError(f"preprocessing: this version knows only {fixed}, got {got}")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.width, self.height

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "Preprocessing":
        """Read the specification back (ValueError on unknown or wrong fields)."""
        try:
            return cls(**fields)
        except TypeError as error:
            raise ValueError(f"preprocessing: {error}") from None

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


def read(
    source: Path | IO[bytes], name: str = "", *, most: int = MAX_PIXELS, at_least: int = 0
) -> Pixels:
    """Decode a picture file, or an open one called ``name``, to uint8 [h, w, 3] RGB.

    It comes upright by its EXIF orientation. The content decides the format, not the file's
    ending. Transparent pixels are put on white, 16-bit grey is reduced to its upper 8 bits,
    animations give their first frame. With ``at_least`` a JPEG is decoded at a half, a quarter or
    an eighth of its size, whichever is the smallest whose sides have that many pixels: the decoder
    leaves out what is too fine for it (libjpeg's scaled inverse DCT), which is faster. Other
    formats, and JPEGs that would get too small, are decoded whole.
    Raises ImageError, naming the file, if it is broken, no picture, or over ``most`` pixels.
    """
    with _naming(name or source, most), _decoded(source, most, at_least) as picture:
        return _pixels(picture)


def read_prepared(
    source: Path | IO[bytes],
    spec: Preprocessing,
    name: str = "",
    *,
    most: int = MAX_PIXELS,
    at_least: int = 0,
) -> Pixels:
    """Decode a picture to the network's uint8 [spec.height, spec.width, 3].

    To the last bit what ``prepare`` makes of what ``read`` gives, without the copies between.
    """
    with _naming(name or source, most), _decoded(source, most, at_least) as picture:
        return np.asarray(_scaled(picture, spec.size))


@contextmanager
def _decoded(source: Path | IO[bytes], most: int, at_least: int) -> Iterator[Image.Image]:
    """The picture upright, in RGB."""
    if isinstance(source, Path) and source.is_fifo():  # to open it may take for ever
        raise ValueError("a named pipe and no file")
    with Image.open(source) as picture:
        if picture.width * picture.height > most:
            raise Image.DecompressionBombError
        if at_least:
            picture.draft(None, (at_least, at_least))
        picture.load()
        ImageOps.exif_transpose(picture, in_place=True)
        yield _to_rgb(picture)


@contextmanager
def _naming(path: Path | IO[bytes] | str, most: int) -> Iterator[None]:
    """Turn what a decoder raises into ImageError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # EXIF oddities are not the user's concern
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise ImageError(f"{path}: refused, more than {most:,} pixels; reduce it first") from None
    except UnidentifiedImageError:
        raise ImageError(f"{path}: not a picture, or damaged") from None
    except MemoryError:
        raise ImageError(f"{path}: too large for this machine's memory; reduce it first") from None
    except FileNotFoundError:
        raise ImageError(f"{path}: no such file") from None
    # Pillow's decoders raise many kinds of error on broken files; each means the same here.
    except Exception as error:
        raise ImageError(f"{path}: cannot be read ({_reason(error)})") from None


def prepare(pixels: Pixels, spec: Preprocessing) -> Pixels:
    """Scale uint8 [h, w, 3] RGB to the network's uint8 [spec.height, spec.width, 3]."""
    return scaled(pixels, spec.size)


def scaled(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Scale uint8 [h, w, 3] RGB to ``size`` (width, height), which may be more than a network's."""
    require_rgb(pixels)
    if pixels.shape[1::-1] == size:
        return pixels
    return np.asarray(_scaled(Image.fromarray(np.ascontiguousarray(pixels)), size))


def digest(pixels: Pixels) -> str:
    """SHA-256 of the pixel bytes in row order, as hexadecimal."""
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()


def _pixels(picture: Image.Image) -> Pixels:
    """Band by band: Pillow copies twice on the way out, and memory that is fresh each time costs
    more than decoding where a whole picture is copied at once."""
    pixels = np.empty((picture.height, picture.width, 3), np.uint8)
    rows = max(1, _BAND // picture.width)
    for top in range(0, picture.height, rows):
        bottom = min(top + rows, picture.height)
        pixels[top:bottom] = np.asarray(picture.crop((0, top, picture.width, bottom)))
    return pixels


def _scaled(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    if picture.size == size:
        return picture
    # Pillow 13 may scale rows before columns, and then rounds otherwise: the order is fixed here.
    across = picture.resize((size[0], picture.height), Image.Resampling.BILINEAR)
    return across.resize(size, Image.Resampling.BILINEAR)


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode == "F":
        raise ValueError("floating-point pixels; save it with 8 or 16 bits first")
    if picture.mode == "I" or picture.mode.startswith("I;16"):
        return _from_16_bit(picture)
    if picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        return _on_white(picture.convert("RGBA"))
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _from_16_bit(picture: Image.Image) -> Image.Image:
    wide = np.asarray(picture).astype(np.int64)
    if wide.min() < 0 or wide.max() > 65535:
        raise ValueError("pixels beyond 16 bits; save it with 8 or 16 bits first")
    return Image.fromarray((wide >> 8).astype(np.uint8)).convert("RGB")


def _on_white(picture: Image.Image) -> Image.Image:
    ground = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(ground, picture).convert("RGB")


def _reason(error: Exception) -> str:
    return str(error).strip().rstrip(".") or type(error).__name__
