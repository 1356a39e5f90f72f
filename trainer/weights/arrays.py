"""Arrays by name: reading a .npz whose claims are checked before memory is taken, and hashing."""

import hashlib
import io
import math
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from corrosion_edge.errors import WeightsError

__all__ = [
    "LIMIT",
    "UNREADABLE",
    "content_sha256",
    "npz_bytes",
    "open_archive",
    "read_member",
    "read_npz",
]

LIMIT: Final = 2**30
"""Bytes that a file of weights may unpack to; the largest network here has 449 MiB."""

UNREADABLE: Final = (OSError, ValueError, zipfile.BadZipFile, zlib.error, EOFError,
                     NotImplementedError, RuntimeError)  # fmt: skip
"""What ``zipfile`` raises on archives that are none, damaged, encrypted or of unknown kinds."""

_FLOOR = 2**26
_EXPANSION = 10
"""An archive of more than 64 MiB that unpacks to 10 times its size holds no weights."""

_HEADERS: Final = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_npz(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Arrays of numbers by name, never unpickled (WeightsError if the file is no such .npz).

    A header that claims more or less than its member holds is refused, before that much memory
    is taken.
    """
    try:
        with open_archive(path) as archive:
            return {
                info.filename.removesuffix(".npy"): _array(read_member(archive, info))
                for info in archive.infolist()
            }
    except WeightsError:
        raise
    except (*UNREADABLE, SyntaxError, tokenize.TokenError):
        raise WeightsError(f"{path}: not a readable .npz file of arrays") from None


def open_archive(path: Path) -> zipfile.ZipFile:
    """Open a zip archive that does not claim to unpack to far more than it is (WeightsError)."""
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise WeightsError(f"{path}: no such file") from None
    unpacked, packed = sum(info.file_size for info in archive.infolist()), path.stat().st_size
    if unpacked > LIMIT or unpacked > max(_FLOOR, _EXPANSION * packed):
        archive.close()
        raise WeightsError(f"{path}: claims to unpack to {unpacked} bytes, too many for weights")
    return archive


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The bytes of one member; ValueError if they are more than the archive says."""
    with archive.open(info) as stream:
        content = stream.read(info.file_size + 1)
    if len(content) != info.file_size:
        raise ValueError(f"{info.filename}: not of the size that the archive says")
    return content


def _array(content: bytes) -> npt.NDArray[Any]:
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    if version not in _HEADERS:
        raise ValueError(f"unknown version {version}")
    shape, fortran, dtype = _HEADERS[version](stream)
    if dtype.kind not in "fiu":
        raise ValueError(f"not an array of numbers but of {dtype}")
    if math.prod(shape) * dtype.itemsize != len(content) - stream.tell():
        raise ValueError("the header claims another size")
    flat = np.frombuffer(content, dtype, offset=stream.tell())
    return flat.reshape(shape, order="F" if fortran else "C")


def npz_bytes(arrays: Mapping[str, npt.NDArray[np.float32]]) -> bytes:
    """The arrays as an uncompressed .npz; the same arrays always give the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in sorted(arrays):
            content = io.BytesIO()
            np.lib.format.write_array(content, arrays[name], version=(1, 0))
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue())
    return stream.getvalue()


def content_sha256(arrays: Mapping[str, npt.NDArray[np.float32]]) -> str:
    """SHA-256 of names, shapes and values, whatever file the arrays came in.

    Over the names in order: ``name float32 (2, 3)`` and a newline in UTF-8, then the values as
    little-endian float32 in C order.
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} float32 {tuple(map(int, array.shape))}\n".encode())
        digest.update(np.ascontiguousarray(array, "<f4").tobytes())
    return digest.hexdigest()
