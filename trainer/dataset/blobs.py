"""The list of the published photos, and git's name for a file's content."""

import csv
import hashlib
import re
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Final

from corrosion_edge.errors import UsageError

__all__ = ["HEAD", "blob_id", "read_manifest"]

HEAD: Final = ("path", "blob")
"""Columns of a manifest: a photo's path below the data folder, and its git blob id."""

_SHIPPED: Final = "phase5.csv"
_ID: Final = re.compile(r"[0-9a-f]{40}")
_CHUNK: Final = 1 << 20


def blob_id(path: Path) -> str | None:
    """Git's id of a file's content: SHA-1 of "blob", its length, NUL, and the bytes; as hex.

    Computed from the file itself. None if there is no such file, or it cannot be read.
    """
    if path.is_symlink() or not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            total = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
            while chunk := file.read(_CHUNK):
                total.update(chunk)
    except OSError:
        return None
    return total.hexdigest()


def read_manifest(path: Path | None) -> dict[str, str]:
    """Path and blob id of each photo; without ``path`` of the published ones.

    Raises UsageError, naming file and line, if a row is not a path of the form
    split/class/name and an id, or names a path again.
    """
    name = str(path or _SHIPPED)
    rows = csv.reader(_text(path).splitlines())
    if tuple(next(rows, ())) != HEAD:
        raise UsageError(f"{name}: expected a CSV file with the columns {', '.join(HEAD)}")
    blobs: dict[str, str] = {}
    for line, row in enumerate(rows, 2):
        if len(row) != 2 or not _is_photo(row[0]) or not _ID.fullmatch(row[1]):
            raise UsageError(
                f"{name}, line {line}: expected split/class/name and a blob id of 40 hexadecimal "
                f"digits, got {','.join(row)!r}"
            )
        if row[0] in blobs:
            raise UsageError(f"{name}, line {line}: {row[0]} is there twice")
        blobs[row[0]] = row[1]
    if not blobs:
        raise UsageError(f"{name}: lists no photos")
    return blobs


def _text(path: Path | None) -> str:
    if path is None:
        return resources.files(__package__).joinpath(_SHIPPED).read_text(encoding="utf-8")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as a manifest ({error})") from None


def _is_photo(path: str) -> bool:
    """Whether a path stays below its folder and is no hidden file."""
    parts = PurePosixPath(path).parts
    plain = not any(part.startswith(".") for part in parts) and "\0" not in path
    return len(parts) == 3 and parts[0] != "/" and plain and "/".join(parts) == path
