"""Which files of a folder are photos; the trainer, ``classify`` and ``watch`` all ask here."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Final

__all__ = ["ENDINGS", "Listing", "find_photos", "passed_over_because", "walk_photos"]

ENDINGS: Final = frozenset(
    f".{ending}"
    for ending in (
        *("jpg", "jpeg", "jpe", "jfif", "png", "bmp", "dib", "gif", "tif", "tiff"),
        *("webp", "avif", "jp2", "ppm", "pgm", "pnm"),
    )
)
"""Endings, in lower case, of files that are taken for photos."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The photos below a folder in sorted order, and how many files were passed over, and why."""

    photos: tuple[Path, ...]
    passed_over: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return self.told(len(self.photos), self.passed_over)

    @staticmethod
    def told(count: int, passed_over: Counter[str]) -> str:
        """The account in words, also for who held no list."""
        junk = ", ".join(f"{n} {why}" for why, n in sorted(passed_over.items()))
        return f"{count} photos" + (f"; passed over: {junk}" if junk else "")


def passed_over_because(path: PurePath) -> str | None:
    """Why a file is no photo to look at: its kind in plural, or None for a photo.

    Judged by the name alone. A broken file with a photo's ending is a photo that cannot be read,
    which its reader must say.
    """
    if path.name.startswith("._"):
        return "AppleDouble files"
    if path.name.startswith("."):
        return "hidden files"
    return None if path.suffix.lower() in ENDINGS else "files that are no images"


def find_photos(folder: Path) -> Listing:
    """All photos below ``folder``, as ``walk_photos`` finds them."""
    junk: Counter[str] = Counter()
    return Listing(tuple(map(Path, walk_photos(folder, junk))), junk)


def walk_photos(folder: Path | str, junk: Counter[str]) -> Iterator[str]:
    """Paths of all photos below ``folder``, recursively, as paths sort; ``junk`` counts the rest.

    Looks into a folder when its turn comes, and holds no more than the names in the folders from
    there to the top. Hidden folders are not entered; symbolic links to files count as files; links
    to folders are followed once, so that a loop of links ends.
    """
    seen: set[str] = set()
    levels = [_Level.of(str(Path(folder)), seen, junk)]
    while levels:
        level = levels[-1]
        if not level.names:
            levels.pop()
            continue
        name = level.names.pop()
        path = os.path.join(level.top, name)  # noqa: PTH118 - a million Paths take seconds
        if name in level.folders:
            levels.append(_Level.of(path, seen, junk))
        elif why := passed_over_because(Path(name)):
            junk[why] += 1
        else:
            yield path


@dataclass(frozen=True, slots=True)
class _Level:
    """What is left of a folder: names, the last comes first, and which of them are folders."""

    top: str
    names: list[str]
    folders: frozenset[str]

    @classmethod
    def of(cls, path: str, seen: set[str], junk: Counter[str]) -> "_Level":
        top = "" if path == "." else path
        real = os.path.realpath(path)
        if real in seen:
            return cls(top, [], frozenset())
        seen.add(real)
        try:
            with os.scandir(path) as entries:
                kinds = {entry.name: entry.is_dir() for entry in entries}
        except OSError:
            junk["folders that cannot be read"] += 1
            return cls(top, [], frozenset())
        folders = frozenset(name for name, is_folder in kinds.items() if is_folder)
        hidden = {name for name in folders if name.startswith(".")}
        return cls(top, sorted(kinds.keys() - hidden, reverse=True), folders)
