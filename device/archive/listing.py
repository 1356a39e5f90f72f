"""The photos that a command's arguments name, one after the other, in an order that repeats."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from glob import has_magic
from pathlib import Path, PurePath

from corrosion_edge.device.archive.pattern import fits
from corrosion_edge.device.archive.remote import is_address, photos_at
from corrosion_edge.device.lines import emit, printable
from corrosion_edge.errors import DataError
from corrosion_edge.photos import Listing, walk_photos

__all__ = ["listed"]


def listed(arguments: Iterable[str]) -> Iterator[str]:
    """The photos named, those below folders and addresses, and those that patterns match, as given.

    A folder's photos come as their paths sort. ``@FILE`` stands for the lines of a file, each of
    which is a photo, folder or pattern. Whatever else is no folder is taken as a photo and tried.
    What is passed over in a folder is said on standard error when its end is reached.
    Raises DataError for a list that cannot be read, a pattern without a match, what ``photos_at``
    raises for an address, and, at the end, if
    there were only folders without photos.
    """
    empty: list[str] = []
    found = False
    for argument in _unfolded(arguments):
        before = len(empty)
        for photo in _photos(argument, empty):
            found = True
            yield photo
        found |= len(empty) == before
    if empty and not found:
        raise DataError(f"{printable(', '.join(empty))}: no photos in there or below")


def _unfolded(arguments: Iterable[str]) -> Iterator[str]:
    for argument in arguments:
        if argument.startswith("@") and not Path(argument).exists():
            yield from _lines(argument[1:])
        else:
            yield argument


def _lines(name: str) -> Iterator[str]:
    try:
        with open(name, encoding="utf-8", errors="surrogateescape") as lines:  # noqa: PTH123
            for line in lines:
                if path := line.rstrip("\r\n"):
                    yield path
    except OSError as error:
        raise DataError(f"@{printable(name)}: the list cannot be read ({error.strerror})") from None


def _photos(argument: str, empty: list[str]) -> Iterator[str]:
    if not argument:
        raise DataError("a PATH is empty; name a photo, a folder or an address")
    if is_address(argument):
        junk: Counter[str] = Counter()
        yield from _told(argument, photos_at(argument, junk), junk, empty)
    elif Path(argument).is_dir():
        junk = Counter()
        yield from _told(argument, walk_photos(argument, junk), junk, empty)
    elif has_magic(argument) and not Path(argument).exists():
        yield from _matches(argument)
    else:
        yield argument


def _told(
    folder: str, photos: Iterator[str], junk: Counter[str], empty: list[str]
) -> Iterator[str]:
    """The photos; at their end, what of the folder was passed over."""
    count = 0
    for photo in photos:
        count += 1
        yield photo
    if not count:
        empty.append(folder)
    if junk or not count:
        emit(sys.stderr, printable(f"{folder}: {Listing.told(count, junk)}"))


def _matches(pattern: str) -> Iterator[str]:
    """Photos that match, ``**`` standing for any number of folders; sorted as in a folder."""
    parts = PurePath(pattern).parts
    fixed = next(n for n, part in enumerate(parts) if has_magic(part))
    top = PurePath(*parts[:fixed])
    none = True
    for photo in walk_photos(str(top), Counter()):
        if fits(PurePath(photo).parts[fixed:], parts[fixed:]):
            none = False
            yield photo
    if none:
        raise DataError(f"{printable(pattern)}: no photo matches")
