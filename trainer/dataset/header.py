"""What a photo's file says of itself, without its pixels: format, size, camera, place."""

import io
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image

__all__ = ["Header", "jpeg_quality", "read_header"]

_SAME: Final = {"MPO": "JPEG"}  # a JPEG with further pictures behind it


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The format is that of the content. Sizes are as stored, before EXIF's orientation.

    ``orientation``: EXIF's, 1 to 8, 1 where there is none. ``gps``: whether EXIF holds a place.
    ``camera``: maker and model, "" where there is none. ``quality``: of a JPEG, 1 to 100, else 0.
    """

    format: str
    mode: str
    width: int
    height: int
    orientation: int
    gps: bool
    camera: str
    quality: int

    def fits(self, path: Path) -> bool:
        """Whether the file's ending is one of its content's format."""
        return Image.registered_extensions().get(path.suffix.lower()) == self.format


def read_header(data: bytes) -> Header:
    """Read the header of a photo that was decoded before."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # oddities of EXIF are told by its absence
        with Image.open(io.BytesIO(data)) as picture:
            exif = picture.getexif()
            orientation = exif.get(ExifTags.Base.Orientation, 1)
            return Header(
                format=_SAME.get(picture.format or "", picture.format or ""),
                mode=picture.mode,
                width=picture.width,
                height=picture.height,
                orientation=orientation if orientation in range(1, 9) else 1,
                gps=bool(exif.get_ifd(ExifTags.IFD.GPSInfo)),
                camera=_camera(exif),
                quality=jpeg_quality(getattr(picture, "quantization", None)),
            )


def jpeg_quality(tables: dict[int, list[int]] | None) -> int:
    """The quality, 1 to 100, whose table in libjpeg is nearest to the file's for brightness.

    An estimate: other encoders scale other tables. 0 if there is no table.
    """
    if not tables or len(tables.get(0, ())) != 64:
        return 0
    return int(np.abs(_tables() - np.array(tables[0])).sum(axis=1).argmin()) + 1


@cache
def _tables() -> npt.NDArray[np.int64]:
    """int64 [100, 64]: the table for brightness of each quality, asked from the library."""
    rows = []
    for quality in range(1, 101):
        stream = io.BytesIO()
        Image.new("L", (8, 8)).save(stream, "JPEG", quality=quality)
        rows.append(Image.open(stream).quantization[0])  # type: ignore[attr-defined]
    return np.array(rows)


def _camera(exif: Image.Exif) -> str:
    parts = [exif.get(tag) for tag in (ExifTags.Base.Make, ExifTags.Base.Model)]
    words = [str(part).strip("\0 ") for part in parts if part]
    if len(words) == 2 and words[1].lower().startswith(words[0].lower()):
        return words[1]
    return " ".join(words)
