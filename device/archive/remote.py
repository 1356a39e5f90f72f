"""Photos behind addresses: object stores, web servers, whatever fsspec reads."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from corrosion_edge.errors import DataError, ExtraError, ImageError, UsageError
from corrosion_edge.photos import ENDINGS, passed_over_because

__all__ = ["fetched", "is_address", "photos_at"]


def is_address(path: str) -> bool:
    """Whether it is the address of something (``s3://bucket/photos``) and no path."""
    return re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*://", path) is not None


def fetched(address: str) -> bytes:
    """A photo's content (ImageError if it cannot be had, UsageError and ExtraError as below)."""
    system, path = _system(address)
    try:
        content: bytes = system.cat_file(path)
    except FileNotFoundError:
        raise ImageError(f"{address}: no such file") from None
    # Each store's package raises its own kinds of error; each means the same here.
    except Exception as error:
        raise ImageError(f"{address}: cannot be fetched ({_reason(error)})") from None
    return content


def photos_at(address: str, junk: Counter[str]) -> Iterator[str]:
    """The photo at an address, those below it, or those that match its pattern (``*``).

    What has a photo's ending is taken for one without asking. Folders are listed when their turn
    comes, in sorted order; ``junk`` counts what is no photo. Raises UsageError for an address of a
    kind that is not known, ExtraError where the package for it is missing, DataError for a folder
    that cannot be listed.
    """
    system, path = _system(address)
    if PurePosixPath(urlsplit(address).path).suffix.lower() in ENDINGS and "*" not in address:
        yield address
        return
    try:
        if "*" in address:
            yield from map(system.unstrip_protocol, sorted(system.glob(path)))
        elif system.isdir(path):
            yield from _below(system, path, junk)
        else:
            yield address
    except (UsageError, ExtraError):
        raise
    except Exception as error:
        raise DataError(f"{address}: cannot be listed ({_reason(error)})") from None


def _below(system: Any, top: str, junk: Counter[str]) -> Iterator[str]:
    levels = [_entries(system, top)]
    while levels:
        if not levels[-1]:
            levels.pop()
            continue
        path, is_folder = levels[-1].pop()
        name = PurePosixPath(path).name
        if is_folder:
            levels.append([] if name.startswith(".") else _entries(system, path))
        elif why := passed_over_because(PurePosixPath(name)):
            junk[why] += 1
        else:
            yield system.unstrip_protocol(path)


def _entries(system: Any, folder: str) -> list[tuple[str, bool]]:
    """Path, and whether it is a folder; the first one last. A store may list the folder itself."""
    found = system.ls(folder, detail=True)
    kinds = {entry["name"].rstrip("/"): entry["type"] == "directory" for entry in found}
    kinds.pop(folder.rstrip("/"), None)
    return sorted(kinds.items(), reverse=True)


def _system(address: str) -> tuple[Any, str]:
    from fsspec.core import url_to_fs

    try:
        system, path = url_to_fs(address)
    except ImportError as error:
        raise ExtraError(f"{address}: needs another package: {_reason(error)}") from None
    except ValueError as error:
        raise UsageError(f"{address}: cannot be read ({_reason(error)})") from None
    return system, path


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
