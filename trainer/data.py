"""A folder of labelled photos: its splits, its classes, what was passed over."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from corrosion_edge.errors import DataError
from corrosion_edge.photos import find_photos, passed_over_because

__all__ = ["SPLITS", "Dataset", "Photo", "fingerprint", "positive_class", "scan"]

SPLITS: Final = ("train", "validation", "test")

_ALIASES: Final = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
    "testing": "test",
}
_CORRODED = re.compile(r"corro|rust")
_NEGATED = re.compile(r"^(no|non|not|un|without|clean|free)|less$|free$")


@dataclass(frozen=True, slots=True)
class Photo:
    """A labelled photo: ``label`` is 1 for corrosion, else 0; ``split`` one of ``SPLITS`` or ''."""

    path: Path
    label: int
    split: str = ""


@dataclass(frozen=True, slots=True)
class Dataset:
    """The photos of a folder, in sorted order, before any of them was read.

    ``classes`` holds the folder names of class 0 and class 1 (corrosion). ``passed_over`` counts
    the files that are no photos, by kind. ``presplit`` tells whether the folder came split.
    """

    root: Path
    photos: tuple[Photo, ...]
    classes: tuple[str, str]
    passed_over: Counter[str] = field(default_factory=Counter)
    presplit: bool = True

    def of(self, split: str) -> list[Photo]:
        """The photos of one split (DataError, naming the splits there are, if it has none)."""
        chosen = [photo for photo in self.photos if photo.split == split]
        if not chosen:
            there = sorted({photo.split for photo in self.photos})
            raise DataError(f"{self.root}: no photos in the split {split!r}, only in {there}")
        return chosen


def scan(root: Path, positive: str | None = None) -> Dataset:
    """Find the photos of a data folder.

    ``root`` holds ``train``, ``validation`` and ``test`` with two class folders each, or the two
    class folders alone. ``positive`` names the class folder of corrosion; without it the name
    decides. Raises DataError if the folder is missing or empty, or has not two classes.
    """
    if not root.is_dir():
        raise DataError(f"{root}: no such folder of photos")
    splits = {_ALIASES[f.name.lower()]: f for f in _folders(root) if f.name.lower() in _ALIASES}
    if "train" in splits:
        return _scan_splits(root, splits, positive)
    if splits:
        raise DataError(f"{root}: there is a folder {next(iter(splits))!r} but none called 'train'")
    classes = _classes(root, root, positive)
    photos, junk = _scan_classes(root, classes, "")
    return Dataset(root, tuple(photos), classes, junk, presplit=False)


def positive_class(names: Iterable[str]) -> str | None:
    """The one name that means corrosion ("CORROSION", "rusty"), or None if that is not clear."""
    corroded = [name for name in names if _means_corrosion(name)]
    return corroded[0] if len(corroded) == 1 else None


def fingerprint(photos: Iterable[Photo], root: Path) -> str:
    """SHA-256 over each photo's place below ``root``, split, label and content."""
    total = hashlib.sha256()
    for photo in photos:
        content = hashlib.sha256(photo.path.read_bytes()).hexdigest()
        place = photo.path.relative_to(root).as_posix()
        total.update(f"{place}\t{photo.split}\t{photo.label}\t{content}\n".encode())
    return total.hexdigest()


def _scan_splits(root: Path, splits: dict[str, Path], positive: str | None) -> Dataset:
    classes = _classes(root, splits["train"], positive)
    photos: list[Photo] = []
    junk: Counter[str] = Counter()
    for split, folder in splits.items():
        if _classes(root, folder, positive) != classes:
            raise DataError(f"{folder}: its class folders are not those of train: {classes}")
        found, passed_over = _scan_classes(folder, classes, split)
        photos += found
        junk += passed_over
    junk += _loose_files(root)
    order = {split: place for place, split in enumerate(SPLITS)}
    photos.sort(key=lambda photo: (order[photo.split], photo.path))
    return Dataset(root, tuple(photos), classes, junk)


def _scan_classes(
    folder: Path, classes: tuple[str, str], split: str
) -> tuple[list[Photo], Counter[str]]:
    photos: list[Photo] = []
    junk = _loose_files(folder)
    for label, name in enumerate(classes):
        listing = find_photos(folder / name)
        if not listing.photos:
            raise DataError(f"{folder / name}: no photos in it")
        photos += [Photo(path, label, split) for path in listing.photos]
        junk += listing.passed_over
    return sorted(photos, key=lambda photo: photo.path), junk


def _classes(root: Path, folder: Path, positive: str | None) -> tuple[str, str]:
    names = [f.name for f in _folders(folder)]
    if len(names) != 2:
        found = f"found {', '.join(names)}" if names else "found none"
        raise DataError(
            f"{folder}: two class folders with photos are needed, such as CORROSION and "
            f"NOCORROSION; {found}"
        )
    chosen = positive if positive is not None else positive_class(names)
    if chosen not in names:
        raise DataError(
            f"{root}: which of {names[0]!r} and {names[1]!r} is corrosion? Name it with --positive"
        )
    other = names[1 - names.index(chosen)]
    return other, chosen


def _loose_files(folder: Path) -> Counter[str]:
    """What lies beside the class folders, in none of them."""
    files = [path for path in folder.iterdir() if path.is_file()]
    return Counter(passed_over_because(path) or "photos outside class folders" for path in files)


def _folders(folder: Path) -> list[Path]:
    return sorted(f for f in folder.iterdir() if f.is_dir() and not f.name.startswith("."))


def _means_corrosion(name: str) -> bool:
    bare = re.sub(r"[^a-z]", "", name.lower())
    return bool(_CORRODED.search(bare)) and not _NEGATED.search(bare)
