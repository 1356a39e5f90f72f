"""Which files of a folder are photos; the trainer, ``classify`` and ``watch`` all ask here."""

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

__all__ = ["ENDINGS", "Listing", "find_photos", "passed_over_because"]

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
        junk = ", ".join(f"{n} {why}" for why, n in sorted(self.passed_over.items()))
        return f"{len(self.photos)} photos" + (f"; passed over: {junk}" if junk else "")


def passed_over_because(path: Path) -> str | None:
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
    """All photos below ``folder``, recursively; hidden folders are not entered.

    Symbolic links to files count as files; links to folders are followed once, so that a loop
    of links ends.
    """
    photos: list[Path] = []
    junk: Counter[str] = Counter()
    seen: set[str] = set()
    for top, below, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(top)
        if real in seen:
            below.clear()
            continue
        seen.add(real)
        below[:] = [name for name in below if not name.startswith(".")]
        for name in names:
            path = Path(top, name)
            why = passed_over_because(path)
            if why is None:
                photos.append(path)
            else:
                junk[why] += 1
    return Listing(tuple(sorted(photos)), junk)
