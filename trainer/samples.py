"""Photos decoded for training: pixels, labels, and which files could not be read."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from os import sched_getaffinity

import numpy as np
import numpy.typing as npt

from corrosion_edge import image
from corrosion_edge.errors import DataError, ImageError
from corrosion_edge.image import Preprocessing
from corrosion_edge.progress import progress
from corrosion_edge.trainer.data import Photo

__all__ = ["Samples", "decode"]


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Decoded photos: ``pixels`` uint8 [n, h, w, 3], ``labels`` int64 [n] (1 = corrosion).

    ``photos`` are those behind the pixels, in the same order; ``unreadable`` the sentences, each
    naming its file, for those that were left out.
    """

    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    photos: tuple[Photo, ...]
    unreadable: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if not len(self.pixels) == len(self.labels) == len(self.photos):
            raise ValueError(
                f"expected as many labels and photos as pixels, got {len(self.pixels)}, "
                f"{len(self.labels)}, {len(self.photos)}"
            )

    def __len__(self) -> int:
        return len(self.labels)


def decode(
    photos: Sequence[Photo], spec: Preprocessing, label: str = "Reading", *, both: bool = True
) -> Samples:
    """Read and prepare photos in parallel, order kept; unreadable ones are left out and named.

    Holds all of them in memory (150 kB a photo at 224 x 224). Raises DataError if none can be
    read or, where ``both`` classes are needed, if only one is left.
    """
    with ThreadPoolExecutor(len(sched_getaffinity(0))) as pool:
        results = list(
            progress(pool.map(lambda p: _try(p, spec), photos), label, length=len(photos))
        )
    good = [(p, r) for p, r in zip(photos, results, strict=True) if isinstance(r, np.ndarray)]
    bad = tuple(r for r in results if isinstance(r, str))
    if not good:
        raise DataError(f"none of the {len(photos)} photos can be read; the first: {bad[0]}")
    kept = tuple(p for p, _ in good)
    labels = np.array([p.label for p in kept], np.int64)
    if both and len(set(labels.tolist())) < 2:
        raise DataError(f"only one class can be read; the first that cannot: {(*bad, '-')[0]}")
    return Samples(np.stack([r for _, r in good]), labels, kept, bad)


def _try(photo: Photo, spec: Preprocessing) -> npt.NDArray[np.uint8] | str:
    try:
        return image.prepare(image.read(photo.path), spec)
    except ImageError as error:
        return str(error)
