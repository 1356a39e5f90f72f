"""Features of many photos in one temporary file, so that memory stays small."""

import os
import tempfile
from collections.abc import Sequence
from typing import BinaryIO, Final

import numpy as np

from corrosion_edge.errors import OutputError
from corrosion_edge.trainer.dataset.features import HASH_BITS, Features

__all__ = ["FeatureStore"]

_WIDTH: Final = 128  # of a SIFT descriptor
_Place = tuple[int, int, tuple[int, int]]


class FeatureStore:
    """A list of `Features` on disk: about 120 kB a photo in the system's temporary folder.

    Hashes stay in memory. Reading is safe from several threads; adding is not. Used as a context
    manager; the file has no name and vanishes with the process.
    """

    def __init__(self) -> None:
        self._file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._places: list[_Place] = []
        self._hashes: list[np.ndarray] = []
        self._end = 0

    def __enter__(self) -> "FeatureStore":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._places)

    def add(self, features: Features) -> int:
        """Keep a photo's features and return their place (OutputError if the disk is full)."""
        data = features.points.tobytes() + features.descriptors.tobytes() + features.grey.tobytes()
        try:
            written = os.pwrite(self._file.fileno(), data, self._end)
        except OSError as error:
            written, reason = -1, error.strerror
        else:
            reason = "no space left"
        if written != len(data):
            raise OutputError(f"{tempfile.gettempdir()}: cannot keep what was read ({reason})")
        height, width = features.grey.shape
        self._places.append((self._end, len(features.points), (height, width)))
        self._hashes.append(features.hashes)
        self._end += len(data)
        return len(self) - 1

    def arrange(self, order: Sequence[int]) -> None:
        """Renumber the photos: what was at ``order[i]`` is then at i."""
        self._places = [self._places[place] for place in order]
        self._hashes = [self._hashes[place] for place in order]

    @property
    def hashes(self) -> np.ndarray:
        """bool [n, 4, 64]: the hashes of all photos."""
        return np.stack(self._hashes) if self._hashes else np.zeros((0, 4, HASH_BITS), bool)

    def descriptors(self, place: int) -> np.ndarray:
        """uint8 [points, 128] of one photo."""
        start, count, _ = self._places[place]
        return np.frombuffer(self._read(start + 8 * count, count * _WIDTH), np.uint8).reshape(
            count, _WIDTH
        )

    def __getitem__(self, place: int) -> Features:
        start, count, (height, width) = self._places[place]
        data = self._read(start, count * (8 + _WIDTH) + height * width)
        points, rest = data[: 8 * count], data[8 * count :]
        return Features(
            hashes=self._hashes[place],
            points=np.frombuffer(points, np.float32).reshape(count, 2),
            descriptors=np.frombuffer(rest, np.uint8, count * _WIDTH).reshape(count, _WIDTH),
            grey=np.frombuffer(rest, np.uint8, offset=count * _WIDTH).reshape(height, width),
        )

    def _read(self, start: int, length: int) -> bytes:
        return os.pread(self._file.fileno(), length, start)
