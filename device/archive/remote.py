"""Photos behind addresses: object stores, web servers, whatever fsspec reads."""

import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from glob import has_magic
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit

from corrosion_edge.device.archive.pattern import fits
from corrosion_edge.errors import DataError, ExtraError, FetchError, ImageError, UsageError
from corrosion_edge.photos import ENDINGS, passed_over_because

__all__ = ["fetched", "identity", "is_address", "photos_at"]

_WAITS: Final = (0.2, 1.0)  # seconds, before another try: stores are busy now and then
_NAMELESS: Final = "folders without a name (two slashes in a row)"
_WEB: Final = ("http", "https")


def is_address(path: str) -> bool:
    """Whether it is the address of something (``s3://bucket/photos``) and no path."""
    return re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*://", path) is not None


def identity(photo: str) -> str:
    """What is the same for all names of a photo: its address, or its path from the root.

    Links to folders are followed; a link to a photo is a photo of its own.
    """
    path = photo.removeprefix("file://") if photo.startswith("file:///") else photo
    if is_address(path):
        return path
    folder, name = os.path.split(path)
    whole = os.path.join(os.getcwd(), folder)  # noqa: PTH109, PTH118 - a million Paths take seconds
    return os.path.join(_real(whole), name)  # noqa: PTH118


@lru_cache(maxsize=4096)
def _real(folder: str) -> str:
    return os.path.realpath(folder)


def fetched(address: str) -> bytes:
    """A photo's content; what fails is tried again, after ``_WAITS``.

    Raises ImageError if there is no such file, FetchError if it cannot be had, and UsageError and
    ExtraError as below.
    """
    system, path = _system(address)
    for wait in (*_WAITS, None):
        try:
            content: bytes = system.cat_file(path)
        except FileNotFoundError:
            raise ImageError(f"{address}: no such file") from None
        except PermissionError as error:
            raise FetchError(f"{address}: cannot be fetched ({_reason(error)})") from None
        # Each store's package raises its own kinds of error; each means the same here.
        except Exception as error:
            if wait is None:
                raise FetchError(f"{address}: cannot be fetched ({_reason(error)})") from None
            time.sleep(wait)
        else:
            return content
    raise AssertionError  # the last round returns or raises


def photos_at(address: str, junk: Counter[str]) -> Iterator[str]:
    """The photo at an address, those below it, or those that match its pattern.

    A pattern has ``*``, ``?`` or ``[``, on web servers ``*`` alone: their addresses may hold the
    others. What has a photo's ending is taken for one without asking. Folders are listed when their
    turn comes, in sorted order; ``junk`` counts what is no photo. Raises UsageError for an address
    of a kind that is not known, ExtraError where the package for it is missing, DataError for a
    folder that cannot be listed, or a pattern without a match.
    """
    system, path = _system(address)
    pattern = has_magic(path) if urlsplit(address).scheme not in _WEB else "*" in path
    if PurePosixPath(urlsplit(address).path).suffix.lower() in ENDINGS and not pattern:
        yield address
        return
    try:
        if pattern:
            yield from _matching(system, path, junk)
        elif system.isdir(path):
            yield from _below(system, path, junk)
        else:
            yield address
    except (UsageError, ExtraError):
        raise
    except FileNotFoundError:
        raise DataError(f"{address}: no such folder") from None
    except Exception as error:
        raise DataError(f"{address}: cannot be listed ({_reason(error)})") from None


def _matching(system: Any, pattern: str, junk: Counter[str]) -> Iterator[str]:
    """Those below the pattern's fixed part that match: what is listed at a time is one folder."""
    parts = PurePosixPath(pattern).parts
    fixed = next(n for n, part in enumerate(parts) if has_magic(part))
    top = str(PurePosixPath(*parts[:fixed]))
    none = True
    for photo in _below(system, top, junk):
        below = system._strip_protocol(photo).removeprefix(top)
        if fits(PurePosixPath(below.lstrip("/")).parts, parts[fixed:]):
            none = False
            yield photo
    if none:
        raise DataError("no photo matches")


def _below(system: Any, top: str, junk: Counter[str]) -> Iterator[str]:
    levels = [_entries(system, top, junk)]
    while levels:
        if not levels[-1]:
            levels.pop()
            continue
        path, is_folder = levels[-1].pop()
        name = PurePosixPath(path).name
        if is_folder:
            levels.append([] if name.startswith(".") else _entries(system, path, junk))
        elif why := passed_over_because(PurePosixPath(name)):
            junk[why] += 1
        else:
            yield system.unstrip_protocol(path)


def _entries(system: Any, folder: str, junk: Counter[str]) -> list[tuple[str, bool]]:
    """Path, and whether it is a folder; the first one last. A store may list the folder itself."""
    found = system.ls(folder, detail=True)
    system.invalidate_cache(folder)  # what was listed would be kept, folder after folder
    junk.update(_NAMELESS for entry in found if _is_nameless(entry, folder))
    kinds = {entry["name"].rstrip("/"): entry["type"] == "directory" for entry in found}
    kinds.pop(folder.rstrip("/"), None)
    return sorted(kinds.items(), reverse=True)


def _is_nameless(entry: Mapping[str, Any], folder: str) -> bool:
    """Whether it is the folder between two slashes of a key; fsspec cannot look into that."""
    name = folder.rstrip("/") + "/"
    # A web server's folders all end in a slash, this one among them.
    return bool(entry["type"] == "directory" and entry["name"] == name) and not is_address(name)


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
