"""Large arrays on disk under a key: bounded, checked, shared by processes, lost without harm."""

import fcntl
import hashlib
import json
import math
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

import click
import numpy as np
import numpy.typing as npt

from corrosion_edge.errors import OutputError, UsageError
from corrosion_edge.output import require_writable

__all__ = ["Store", "Writer", "key_of"]

_HEAD: Final = 4096  # bytes before the values: their shape, type and checksum as JSON
_ENDING, _PART = ".array", ".part"
_TYPES: Final = ("float32", "uint8")
Array = npt.NDArray[Any]


def key_of(description: Mapping[str, Any]) -> str:
    """The key of what plain values describe: the SHA-256 of their JSON, in hexadecimal."""
    text = json.dumps(description, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Writer:
    """Takes an array in batches, along its first axis."""

    def __init__(
        self, stream: BinaryIO, folder: Path, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        self.shape, self.dtype = shape, dtype
        self.rows = 0
        self._stream, self._folder, self._sum = stream, folder, 0

    def write(self, batch: npt.ArrayLike) -> None:
        """Append a batch [m, ...] (ValueError if it does not fit, OutputError from the disk)."""
        array = np.ascontiguousarray(batch, self.dtype)
        if array.shape[1:] != self.shape[1:] or self.rows + len(array) > self.shape[0]:
            raise ValueError(f"expected rows of {self.shape}, got {array.shape} at {self.rows}")
        data = array.data.cast("B") if array.size else b""
        with _disk(self._folder):
            self._stream.write(data)
        self._sum = zlib.crc32(data, self._sum)
        self.rows += len(array)

    def finish(self) -> None:
        """Write the head (ValueError if rows are missing)."""
        if self.rows != self.shape[0]:
            raise ValueError(f"expected {self.shape[0]} rows, got {self.rows}")
        head = {"shape": self.shape, "dtype": self.dtype.name, "crc32": self._sum}
        self._stream.seek(0)
        self._stream.write(json.dumps(head).encode().ljust(_HEAD))
        self._stream.flush()


class Store:
    """Arrays in the files of a folder, of at most ``limit_bytes`` together.

    Each array is one file with its CRC-32 (zlib), which is compared when a process first opens
    it. What was used longest ago makes room for what is new, unless it is open: an open array
    holds a shared lock (flock) on its file, in this and in any other process, and so does a
    writer, so that what a killed process left can be told from what is being written.
    """

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        if limit_bytes < 1:
            raise UsageError(f"--cache-size: expected more than 0 bytes, got {limit_bytes}")
        require_writable(folder)
        self.folder, self.limit_bytes = folder, limit_bytes
        self._checked: set[tuple[str, int]] = set()
        with self._alone():
            for path in folder.glob(f".*{_PART}"):
                _remove_unless_open(path)

    def get(self, key: str) -> np.memmap[Any, Any] | None:
        """The array under a key, read-only, or None.

        A damaged file is named on standard error and removed: the answer is None then.
        """
        path = self.folder / f"{key}{_ENDING}"
        try:
            with path.open("rb") as stream:
                fcntl.flock(stream, fcntl.LOCK_SH)
                array = self._opened(path, stream)
        except FileNotFoundError:
            return None
        if array is None:
            click.echo(f"{path}: is damaged and was removed; it is computed again", err=True)
            path.unlink(missing_ok=True)
        else:
            with suppress(OSError):  # made room for by another process at this moment
                os.utime(path)
        return array

    def _opened(self, path: Path, stream: BinaryIO) -> np.memmap[Any, Any] | None:
        status = os.fstat(stream.fileno())
        try:
            head = json.loads(stream.read(_HEAD))
            shape, dtype = tuple(head["shape"]), np.dtype(head["dtype"])
            if status.st_size != _HEAD + math.prod(shape) * dtype.itemsize:
                return None
            array = np.memmap(stream, dtype, "r", _HEAD, shape)
            if (path.name, status.st_ino) not in self._checked:
                if zlib.crc32(array.data.cast("B")) != head["crc32"]:
                    return None
                self._checked.add((path.name, status.st_ino))
        except (ValueError, KeyError, TypeError):
            return None
        return array

    @contextmanager
    def writer(
        self, key: str, shape: tuple[int, ...], dtype: npt.DTypeLike = np.float32
    ) -> Iterator[Writer]:
        """Yield a ``Writer`` for ``shape`` [n, ...]; when the block ends well, the array is there.

        After an error nothing is left. Raises UsageError for an array that cannot get room within
        the bound, OutputError if the disk is full, ValueError for rows too few.
        """
        kind = np.dtype(dtype)
        if kind.name not in _TYPES or math.prod(shape) == 0:
            raise ValueError(f"expected values of {_TYPES}, got {shape} of {kind}")
        part = self.folder / f".{key}.{os.getpid()}.{os.urandom(4).hex()}{_PART}"
        try:
            with self._reserved(part, _HEAD + math.prod(shape) * kind.itemsize) as stream:
                writer = Writer(stream, self.folder, shape, kind)
                yield writer
                with _disk(self.folder):
                    writer.finish()
                    part.replace(self.folder / f"{key}{_ENDING}")
        finally:
            part.unlink(missing_ok=True)

    def obtain(
        self,
        key: str,
        shape: tuple[int, ...],
        make: Callable[[], Iterable[npt.ArrayLike]],
        dtype: npt.DTypeLike = np.float32,
    ) -> np.memmap[Any, Any]:
        """The array under a key, made from the batches of ``make`` if it is not there."""
        if (array := self.get(key)) is not None:
            return array
        with self.writer(key, shape, dtype) as writer:
            for batch in make():
                writer.write(batch)
        if (array := self.get(key)) is None:
            raise OutputError(f"{self.folder}: what was written to the cache cannot be read back")
        return array

    def _reserved(self, part: Path, size: int) -> BinaryIO:
        """Make room for ``size`` bytes and take them, so that other processes count them."""
        if size > self.limit_bytes:
            raise UsageError(
                f"--cache-size: one array needs {_mega(size)}, the limit is "
                f"{_mega(self.limit_bytes)}; allow more"
            )
        with self._alone(), _disk(self.folder):
            self._evict(self.limit_bytes - size)
            stream = part.open("wb")
            fcntl.flock(stream, fcntl.LOCK_SH)
            os.posix_fallocate(stream.fileno(), 0, size)
            stream.seek(_HEAD)
        return stream

    def _evict(self, allowed: int) -> None:
        """Remove arrays, longest unused first, until at most ``allowed`` bytes are taken."""
        files = sorted(self._files(), key=lambda file: file[1].st_mtime_ns)
        taken = sum(status.st_size for _, status in files)
        for path, status in files:
            if taken <= allowed:
                return
            if _remove_unless_open(path):
                taken -= status.st_size
        if taken > allowed:
            raise UsageError(
                f"--cache-size: {_mega(taken)} are in use at once, the limit of "
                f"{_mega(self.limit_bytes)} leaves no room for more; allow more"
            )

    def _files(self) -> list[tuple[Path, os.stat_result]]:
        found = []
        for path in self.folder.iterdir():
            with suppress(FileNotFoundError):  # another process finished or gave up
                if path.name.endswith((_ENDING, _PART)):
                    found.append((path, path.stat()))
        return found

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else counts, removes or reserves meanwhile."""
        with (self.folder / ".lock").open("wb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield


def _remove_unless_open(path: Path) -> bool:
    with suppress(FileNotFoundError), path.open("rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        path.unlink()
    return True


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"{folder}: the cache cannot be written ({reason})") from None


def _mega(size: int) -> str:
    return f"{math.ceil(size / 1e6)} MB"
