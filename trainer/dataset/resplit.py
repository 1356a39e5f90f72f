"""Writing a folder of photos anew, split by photo: no version of one in two splits."""

import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

from corrosion_edge.errors import ImageError, OutputError
from corrosion_edge.output import csv_text, new_folder, write
from corrosion_edge.progress import progress
from corrosion_edge.trainer.data import SPLITS, Dataset, scan
from corrosion_edge.trainer.dataset.reading import features_of
from corrosion_edge.trainer.split import Placed, place

__all__ = ["MANIFEST_HEAD", "Moved", "Resplit", "resplit"]

MANIFEST_HEAD: Final = ("path", "old_path", "sha256", "group", "split", "class")
"""Columns of ``manifest.csv``: a photo's place in the new folder and in the old one, the SHA-256
of its file, the number of its group from 0, its split and its class folder."""

_NAME_DIGITS: Final = 8  # of the SHA-256 that tell files of one name apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One photo: its place in the new folder, and a row of the manifest."""

    path: str
    old_path: str
    sha256: str
    group: int
    split: str
    name: str

    @property
    def row(self) -> tuple[str | int, ...]:
        """The values of ``MANIFEST_HEAD``."""
        return self.path, self.old_path, self.sha256, self.group, self.split, self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Resplit:
    """What was written.

    ``counts``: photos by split and class. ``conflicts``: old paths of versions of one photo that
    have both labels; each group is in one split, its labels as they were. ``unreadable``: a
    sentence for each photo that was left out.
    """

    seed: int
    counts: dict[str, dict[str, int]]
    groups: int
    conflicts: tuple[tuple[str, ...], ...]
    unreadable: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "seed": self.seed,
            "photos": self.counts,
            "groups": self.groups,
            "label_conflicts": [list(places) for places in self.conflicts],
            "unreadable": list(self.unreadable),
        }


def resplit(root: Path, target: Path, *, seed: int, copy: bool, positive: str | None) -> Resplit:
    """Split all photos below ``root`` 70/20/10 into a new folder, copied or as hard links.

    ``target`` appears whole or not at all. Raises DataError if ``root`` is no data set or has too
    few photos, OutputError if ``target`` exists or cannot be written.
    """
    dataset = scan(root, positive)
    with new_folder(target) as folder:
        placed = place(dataset.photos, seed)
        moved = _named([one for one in placed if one.group >= 0], dataset)
        for one in progress(moved, "Writing photos", len(moved)):
            _put(root / one.old_path, folder / one.path, copy)
        write(folder / "manifest.csv", csv_text(MANIFEST_HEAD, (one.row for one in moved)))
    unreadable = [_reason(one.photo.path) for one in placed if one.group < 0]
    return _result(moved, dataset, seed, sorted(unreadable))


def _named(placed: Sequence[Placed], dataset: Dataset) -> list[Moved]:
    """New places, in their order. Files of one name in one folder get part of their digest."""
    folders = [(one.photo.split, dataset.classes[one.photo.label]) for one in placed]
    names = [one.photo.path.name for one in placed]
    shared = Counter((*f, n.lower()) for f, n in zip(folders, names, strict=True))
    numbers = {group: i for i, group in enumerate(dict.fromkeys(one.group for one in placed))}
    taken: set[str] = set()
    moved = []
    for one, (split, name), file in zip(placed, folders, names, strict=True):
        alone = shared[split, name, file.lower()] == 1
        path = next(
            path for path in _choices(f"{split}/{name}", Path(file), one.sha256, alone)
            if path.lower() not in taken
        )  # fmt: skip
        taken.add(path.lower())
        old = one.photo.path.relative_to(dataset.root).as_posix()
        moved.append(Moved(path=path, old_path=old, sha256=one.sha256, group=numbers[one.group],
                           split=split, name=name))  # fmt: skip
    return sorted(moved, key=lambda one: (SPLITS.index(one.split), one.path))


def _choices(folder: str, file: Path, sha256: str, alone: bool) -> Iterator[str]:
    if alone:
        yield f"{folder}/{file.name}"
    stem = f"{folder}/{file.stem}-{sha256[:_NAME_DIGITS]}"
    yield f"{stem}{file.suffix}"
    for number in count(2):
        yield f"{stem}-{number}{file.suffix}"


def _put(old: Path, new: Path, copy: bool) -> None:
    new.parent.mkdir(parents=True, exist_ok=True)
    if copy:
        shutil.copyfile(old, new)
        return
    try:
        os.link(old.resolve(), new)
    except OSError as error:
        raise OutputError(
            f"{old}: cannot be linked to {new.name} ({error.strerror}); say --copy"
        ) from None


def _result(
    moved: Sequence[Moved], dataset: Dataset, seed: int, unreadable: Sequence[str]
) -> Resplit:
    groups: dict[int, list[Moved]] = defaultdict(list)
    for one in moved:
        groups[one.group].append(one)
    both = [group for group in groups.values() if len({one.name for one in group}) > 1]
    seen = Counter((one.split, one.name) for one in moved)
    negative, positive = dataset.classes
    return Resplit(
        seed=seed,
        counts={
            split: {"corrosion": seen[split, positive], "no-corrosion": seen[split, negative]}
            for split in SPLITS
        },
        groups=len(groups),
        conflicts=tuple(sorted(tuple(sorted(one.old_path for one in group)) for group in both)),
        unreadable=tuple(unreadable),
    )


def _reason(path: Path) -> str:
    error = features_of(path)
    return str(error) if isinstance(error, ImageError) else f"{path}: could not be read before"
