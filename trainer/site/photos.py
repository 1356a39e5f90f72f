"""The photos of the site: found, read, grouped, and divided for honest figures."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedGroupKFold

from corrosion_edge import image
from corrosion_edge.errors import DataError, ImageError
from corrosion_edge.image import Preprocessing
from corrosion_edge.photos import find_photos
from corrosion_edge.prediction import LABELS
from corrosion_edge.progress import progress
from corrosion_edge.trainer.data import Photo, fingerprint, scan
from corrosion_edge.trainer.samples import Samples
from corrosion_edge.trainer.site.labels import read_labels
from corrosion_edge.trainer.split import duplicate_groups

__all__ = [
    "FOLDS",
    "HELD_OUT",
    "Division",
    "Found",
    "copies",
    "describe",
    "divide",
    "find",
    "groups_of",
    "read",
]

FOLDS: Final = 4
"""Folds of the cross-validation, and so the least number of different photos of a class."""

HELD_OUT: Final = (100, 20)
"""From so many photos, and so many different ones of each class, a third is held out.

A third of fewer gives an accuracy of 0.9 an interval wider than 0.2; cross-validation judges
every photo, and the model then learns from all."""

_THIRD: Final = 3
Groups = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Labelled photos that were not read yet; ``names`` are their classes' names, 0 and 1."""

    photos: tuple[Photo, ...]
    root: Path
    names: tuple[str, str]
    note: str
    passed_over: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Division:
    """How the figures on the site come about.

    ``how`` is "given" (the folder came split), "held out" or "cross-validation". ``folds`` [n] is
    the fold, 0 to ``FOLDS`` - 1, of each photo that is learned from, else -1; ``held_out`` [n]
    tells which photos only judge; both false and -1 is the test split of a folder that has one.
    ``groups`` [n] is equal for versions of one photo: they never fall apart.
    """

    how: str
    folds: npt.NDArray[np.int64]
    held_out: npt.NDArray[np.bool_]
    groups: Groups

    @property
    def test(self) -> npt.NDArray[np.bool_]:
        """The photos that are looked at last, and chosen nothing on."""
        return (self.folds < 0) & ~self.held_out


def find(folder: Path, labels: Path | None, positive: str | None, classes: dict[str, str]) -> Found:
    """The photos of a site: two class folders, one, split or not; or those of a labels file.

    ``classes`` are the class folders' names of the run's own photos, by label: one class folder
    alone is known by them, or by the labels' names. Raises DataError.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder of photos")
    if labels is not None:
        said = read_labels(labels, folder)
        root = Path(os.path.commonpath([photo.path.parent for photo in said.photos]))
        return Found(photos=said.photos, root=root, names=LABELS, note=f"{labels.name}: {said}")
    if (label := _only_class(folder, classes)) is not None:
        return _one_class(folder, label)
    known = classes["corrosion"]
    dataset = scan(folder, positive or (known if (folder / known).is_dir() else None))
    return Found(
        photos=dataset.photos,
        root=folder,
        names=dataset.classes,
        note="split as it came" if dataset.presplit else "class folders",
        passed_over=dataset.passed_over,
    )


def _only_class(folder: Path, classes: dict[str, str]) -> int | None:
    """The label of the one class folder there is, if it is alone and its name is known."""
    names = [f.name for f in folder.iterdir() if f.is_dir() and not f.name.startswith(".")]
    if len(names) != 1:
        return None
    known = {name.lower(): LABELS.index(label) for label, name in classes.items()}
    known |= {name: place for place, name in enumerate(LABELS)}
    return known.get(names[0].lower())


def _one_class(folder: Path, label: int) -> Found:
    inner = next(f for f in folder.iterdir() if f.is_dir() and not f.name.startswith("."))
    listing = find_photos(inner)
    if not listing.photos:
        raise DataError(f"{inner}: no photos in it")
    return Found(
        photos=tuple(Photo(path, label) for path in listing.photos),
        root=folder,
        names=(inner.name, "") if label == 0 else ("", inner.name),
        note="one class folder",
        passed_over=listing.passed_over,
    )


def read(found: Found, spec: Preprocessing) -> Samples:
    """Read and prepare the photos (DataError if none can be); one class may be alone."""
    good: list[tuple[Photo, npt.NDArray[np.uint8]]] = []
    bad: list[str] = []
    for photo in progress(found.photos, "Reading site photos", length=len(found.photos)):
        try:
            good.append((photo, image.prepare(image.read(photo.path), spec)))
        except ImageError as error:
            bad.append(str(error))
    if not good:
        raise DataError(f"none of the {len(bad)} site photos can be read; the first: {bad[0]}")
    photos = tuple(photo for photo, _ in good)
    labels = np.array([photo.label for photo in photos], np.int64)
    return Samples(np.stack([pixels for _, pixels in good]), labels, photos, tuple(bad))


def groups_of(samples: Samples) -> Groups:
    """A number for each photo, int64 [n]: equal for versions of one photo."""
    groups = duplicate_groups(samples.photos)
    alone = len(groups) + np.arange(len(groups))
    return np.where(groups < 0, alone, groups)


def divide(samples: Samples, groups: Groups, seed: int) -> Division:
    """Set photos aside for judging, and the rest in folds; photos of one group stay together.

    Raises DataError where a class has fewer than ``FOLDS`` different photos to learn from.
    """
    splits = np.array([photo.split for photo in samples.photos])
    held_out = splits == "validation"
    learn = (splits == "train") | (splits == "")
    how = "given" if held_out.any() else "cross-validation"
    if how != "given" and _enough(samples.labels, groups):
        how, held_out = "held out", _fold_of(samples.labels, groups, _THIRD, seed) == 0
        learn &= ~held_out
    _require(samples.labels[learn], groups[learn])
    folds = np.full(len(samples), -1, np.int64)
    folds[learn] = _fold_of(samples.labels[learn], groups[learn], FOLDS, seed)
    return Division(how=how, folds=folds, held_out=held_out, groups=groups)


def describe(found: Found, samples: Samples, division: Division) -> dict[str, Any]:
    """Plain values: counts, fingerprint, what was passed over or could not be read."""
    parts = {"learned": division.folds >= 0, "held_out": division.held_out, "test": division.test}
    return {
        "folder": found.root.resolve().name,
        "fingerprint": fingerprint(samples.photos, found.root),
        "classes": {"no-corrosion": found.names[0], "corrosion": found.names[1]},
        "labels": found.note,
        "photos": {name: _counts(samples.labels[m]) for name, m in parts.items() if m.any()},
        "different": len(set(division.groups.tolist())),
        "measured_by": division.how,
        "passed_over": dict(found.passed_over),
        "unreadable": list(samples.unreadable),
    }


def copies(site: Samples, others: Sequence[Samples]) -> int:
    """How many photos of the site are versions of one of the others."""
    photos = [*site.photos, *(photo for other in others for photo in other.photos)]
    groups = duplicate_groups(photos)
    there = groups[len(site) :]
    return int(np.isin(groups[: len(site)], there[there >= 0]).sum())


def _counts(labels: Groups) -> dict[str, int]:
    return {"corrosion": int(labels.sum()), "no-corrosion": int(len(labels) - labels.sum())}


def _enough(labels: Groups, groups: Groups) -> bool:
    photos, each = HELD_OUT
    return len(labels) >= photos and min(_different(labels, groups).values()) >= each


def _different(labels: Groups, groups: Groups) -> dict[int, int]:
    """How many photos of each class there are that do not look the same."""
    return {c: len(set(groups[labels == c].tolist())) for c in sorted(set(labels.tolist()))}


def _fold_of(labels: Groups, groups: Groups, count: int, seed: int) -> Groups:
    folds = np.zeros(len(labels), np.int64)
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    for number, (_, members) in enumerate(splitter.split(groups, labels, groups)):
        folds[members] = number
    return folds


def _require(labels: Groups, groups: Groups) -> None:
    for label, different in _different(labels, groups).items():
        if different < FOLDS:
            raise DataError(
                f"too few photos of the site: {FOLDS} different ones of a class are needed to "
                f"learn from it and to judge that, some dozens are better; {LABELS[label]} has "
                f"{different}"
            )
