"""The pictures that all peers are given: JPEG files, and the same in memory and prepared."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from corrosion_edge import image
from corrosion_edge.errors import DataError
from corrosion_edge.image import Preprocessing

__all__ = ["Pictures", "given", "rendered"]

FRAME: Final = (1920, 1080)
_QUALITY: Final = 90
_MOST: Final = 24
_RENDERED: Final = (("steel", 0.0), ("steel", 0.3), ("red-paint", 0.0), ("paint", 0.1),
                    ("shadow", 0.0), ("dirt", 0.05), ("steel", 0.1), ("paint", 0.02))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pictures:
    """``frames`` are JPEG files; ``told`` says in words what they are.

    ``arrays`` are the same decoded: .npy files of uint8 [h, w, 3] RGB.
    """

    frames: tuple[Path, ...]
    told: str
    arrays: tuple[Path, ...] = ()

    def decoded(self, folder: Path) -> "Pictures":
        """The same with ``arrays`` in ``folder`` (ImageError for a file that is no picture)."""
        arrays = tuple(folder / f"{place}.npy" for place in range(len(self.frames)))
        for frame, array in zip(self.frames, arrays, strict=True):
            np.save(array, image.read(frame))
        return replace(self, arrays=arrays)

    def prepared(self, spec: Preprocessing, path: Path) -> Path:
        """Write them as uint8 [n, h, w, 3] .npy, as this project prepares them."""
        np.save(path, np.stack([image.prepare(image.read(f), spec) for f in self.frames]))
        return path


def rendered(folder: Path, size: tuple[int, int] = FRAME) -> Pictures:
    """Surfaces as JPEG files in ``folder``; ``size`` is width, height."""
    from corrosion_edge.render import surface

    frames = []
    for seed, (kind, rust) in enumerate(_RENDERED):
        frames.append(folder / f"{seed}.jpg")
        picture = surface(kind, rust=rust, seed=seed, size=size)
        Image.fromarray(picture).save(frames[-1], quality=_QUALITY)
    told = f"{len(frames)} rendered surfaces of {size[0]}x{size[1]} pixels, JPEG of {_QUALITY} %"
    return Pictures(tuple(frames), told)


def given(folder: Path) -> Pictures:
    """The user's JPEG files in a folder, evenly chosen if many (DataError if there is none)."""
    if not folder.is_dir():
        raise DataError(f"--pictures: {folder} is no folder")
    files = sorted(f for f in folder.iterdir() if f.suffix.lower() in (".jpg", ".jpeg"))
    if not files:
        raise DataError(f"--pictures: no .jpg or .jpeg file in {folder}")
    frames = tuple(Path(f).absolute() for f in _some(files))
    return Pictures(frames, f"{len(frames)} of the {len(files)} JPEG files given")


def _some(files: Sequence[Path]) -> list[Path]:
    places = np.linspace(0, len(files) - 1, min(_MOST, len(files))).round().astype(int)
    return [files[place] for place in places]
