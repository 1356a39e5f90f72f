"""What is measured on: rendered surfaces or somebody's photos, as frames and as files."""

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from corrosion_edge.benchmarks.layout import Count
from corrosion_edge.errors import UsageError
from corrosion_edge.progress import progress

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["MOST_PHOTOS", "RENDERED", "Frames", "Pictures", "choose", "frames"]

RENDERED: Final = (("steel", 0.0), ("steel", 0.3), ("red-paint", 0.0), ("paint", 0.1))
"""Kind of surface and share of rust of the rendered frames."""

MOST_PHOTOS: Final = 16
"""As many photos are taken of a folder: their frames lie raw on the disk, 6 MB each at 1080p."""

_QUALITY: Final = 90  # of the JPEG files of rendered frames

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Pictures:
    """Which pictures they were: ``count`` of them, in turn.

    ``sha256`` is, for photos, that of the sorted SHA-256 of their files, and for rendered ones that
    of what was rendered: the same on two machines means the same pictures. Names are not kept.
    """

    kind: Literal["rendered", "photos"]
    count: Count
    sha256: str

    def __str__(self) -> str:
        return f"{self.count} {'rendered frames' if self.kind == 'rendered' else 'photos'}"


@dataclass(frozen=True, slots=True)
class Frames:
    """Pictures of one size: ``raw`` frames in one file, and the ``files`` that are decoded."""

    raw: Path
    files: tuple[Path, ...]


def choose(folder: Path | None) -> tuple[Pictures, tuple[Path, ...]]:
    """The pictures of a folder, or the rendered ones, which have no files yet.

    Of more than ``MOST_PHOTOS`` photos as many are taken, evenly over the sorted names. UsageError
    for a folder that is missing or has none.
    """
    if folder is None:
        told = hashlib.sha256(repr(RENDERED).encode()).hexdigest()
        return Pictures("rendered", len(RENDERED), told), ()
    photos = _spread(_photos_of(folder))
    digests = sorted(hashlib.sha256(photo.read_bytes()).hexdigest() for photo in photos)
    told = hashlib.sha256("".join(digests).encode()).hexdigest()
    return Pictures("photos", len(photos), told), photos


@contextmanager
def frames(photos: Sequence[Path], sizes: Sequence[Size]) -> Iterator[dict[Size, Frames]]:
    """Temporary files of the pictures at each size; without ``photos`` the rendered ones.

    Photos are stretched to the size, but their files are decoded as they are (ImageError).
    """
    with tempfile.TemporaryDirectory(prefix="corrosion-edge-") as folder:
        yield {size: _written(Path(folder), photos, size) for size in dict.fromkeys(sizes)}


def _written(folder: Path, photos: Sequence[Path], size: Size) -> Frames:
    raw, files = folder / f"{size[0]}x{size[1]}.raw", list(photos)
    label = "reading photos" if photos else "rendering pictures"
    with raw.open("wb") as stream:
        for number in progress(range(len(photos) or len(RENDERED)), label):
            picture = _photo(photos[number], size) if photos else _rendered(number, size)
            stream.write(picture.tobytes())
            if not photos:
                files.append(raw.with_name(f"{raw.stem}-{number}.jpg"))
                picture.save(files[-1], quality=_QUALITY)
    return Frames(raw, tuple(files))


def _rendered(number: int, size: Size) -> "Image.Image":
    from PIL import Image

    from corrosion_edge.render import surface

    kind, rust = RENDERED[number]
    return Image.fromarray(surface(kind, rust=rust, seed=number, size=size))


def _photo(path: Path, size: Size) -> "Image.Image":
    from PIL import Image

    from corrosion_edge import image

    return Image.fromarray(image.read(path)).resize(size, Image.Resampling.BILINEAR)


def _photos_of(folder: Path) -> tuple[Path, ...]:
    from corrosion_edge.photos import find_photos

    if not folder.is_dir():
        raise UsageError(f"--pictures: expected a folder of photos, {folder} is none")
    if not (found := find_photos(folder).photos):
        raise UsageError(f"--pictures: there are no photos in {folder}")
    return found


def _spread(photos: Sequence[Path]) -> tuple[Path, ...]:
    count = min(MOST_PHOTOS, len(photos))
    return tuple(photos[number * len(photos) // count] for number in range(count))
