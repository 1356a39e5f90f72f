"""Splitting photos 70/20/10: seeded, stratified by class, versions of one photo kept together."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedGroupKFold

from corrosion_edge.errors import DataError, ImageError
from corrosion_edge.trainer.data import SPLITS, Photo

__all__ = ["FOLDS", "Placed", "assign", "duplicate_groups", "grouped", "place"]

FOLDS: Final = 10
"""Folds of equal size: 7 are the training photos, 2 the validation, 1 the test."""

Groups = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Placed:
    """A photo with its new split, the SHA-256 of its file, and the number of its group.

    Photos of one group are versions of one photo; the group is -1 where it cannot be read.
    """

    photo: Photo
    sha256: str
    group: int


def grouped(photos: Sequence[Photo], seed: int) -> tuple[list[Photo], ...]:
    """Pool the photos and split them: 70 % train, 20 % validation, 10 % test, in this order.

    As ``place``, each list in the order of paths. A photo that cannot be read is in train, so
    that its reader names it.
    """
    found = sorted(place(photos, seed), key=lambda one: one.photo.path)
    return tuple([one.photo for one in found if one.photo.split == name] for name in SPLITS)


def place(photos: Sequence[Photo], seed: int) -> list[Placed]:
    """Pool the photos, find the versions of one photo, and give each photo its new split.

    Each split has both classes in the proportion of the whole, and no photo is in two splits in
    two versions. The same contents and seed give the same split, whatever the files' names and
    order; the result is in the order of digests. Raises DataError if there are too few photos.
    """
    digests = [_digest(photo.path) for photo in photos]
    order = sorted(range(len(photos)), key=lambda i: (digests[i], photos[i].label, photos[i].path))
    ordered = [photos[i] for i in order]
    groups = duplicate_groups(ordered)
    splits = assign(np.array([photo.label for photo in ordered], np.int64), groups, seed)
    return [
        Placed(replace(photos[i], split=split), digests[i], group)
        for i, split, group in zip(order, splits, groups.tolist(), strict=True)
    ]


def assign(labels: npt.NDArray[np.int64], groups: Groups, seed: int) -> list[str]:
    """The split of each photo by its label (0, 1) and group; a group below 0 is put into train.

    Photos of one group get one split. Raises DataError if a class has fewer than ``FOLDS`` groups.
    """
    places = np.flatnonzero(groups >= 0)
    fewest = min(len(set(groups[places][labels[places] == label].tolist())) for label in (0, 1))
    if fewest < FOLDS:
        raise DataError(
            f"{FOLDS} different photos of each class are needed to split them 70/20/10; "
            f"one class has {fewest}"
        )
    splits = [SPLITS[0]] * len(labels)
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    parts = folds.split(places, labels[places], groups[places])
    for number, (_, members) in enumerate(parts):
        name = SPLITS[2] if number == 0 else SPLITS[1] if number <= 2 else SPLITS[0]
        for member in places[members]:
            splits[member] = name
    return splits


def duplicate_groups(photos: Sequence[Photo]) -> Groups:
    """A number for each photo, int64 [n]: equal for versions of one photo, -1 if unreadable.

    The detector is that of ``dataset audit``: see `corrosion_edge.trainer.dataset.duplicates`.
    """
    from corrosion_edge.progress import progress
    from corrosion_edge.trainer.dataset.duplicates import Finder, grouped_by
    from corrosion_edge.trainer.dataset.parallel import each
    from corrosion_edge.trainer.dataset.reading import features_of

    groups = np.full(len(photos), -1, np.int64)
    readable: list[int] = []
    with Finder() as finder:
        found = each(features_of, [photo.path for photo in photos])
        for place, result in enumerate(progress(found, "Looking for copies", len(photos))):
            if not isinstance(result, ImageError):
                finder.add(*result)
                readable.append(place)
        links = [(pair.a, pair.b) for pair in finder.pairs()]
    groups[readable] = grouped_by(links, len(readable))
    return groups


def _digest(path: Path) -> str:
    """SHA-256 of a file's content; of nothing where it cannot be read, which its reader says."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return hashlib.sha256().hexdigest()
