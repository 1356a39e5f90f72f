"""From a data folder to decoded splits; training and quantization ask here for the same ones."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corrosion_edge.errors import DataError
from corrosion_edge.image import Preprocessing
from corrosion_edge.trainer.data import SPLITS, Dataset, Photo, fingerprint, scan
from corrosion_edge.trainer.samples import Samples, decode
from corrosion_edge.trainer.split import split

__all__ = ["Splits", "load"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Splits:
    """The decoded photos of a folder by split, and a sentence for each that could not be read."""

    dataset: Dataset
    samples: Mapping[str, Samples]
    unreadable: tuple[str, ...]

    def describe(self) -> dict[str, Any]:
        """Plain values: classes, counts, fingerprint, how it was split, what was left out."""
        root = self.dataset.root
        negative, positive = self.dataset.classes
        used = [photo for samples in self.samples.values() for photo in samples.photos]
        return {
            "folder": root.resolve().name,
            "fingerprint": fingerprint(used, root),
            "classes": {"no-corrosion": negative, "corrosion": positive},
            "split": "given" if self.dataset.presplit else "70/20/10, duplicates kept together",
            "photos": {name: _counts(samples) for name, samples in self.samples.items()},
            "passed_over": dict(self.dataset.passed_over),
            "unreadable": list(self.unreadable),
        }


def load(root: Path, spec: Preprocessing, *, positive: str | None, seed: int) -> Splits:
    """Read and prepare all photos; a folder that is not split is split 70/20/10 by ``seed``.

    Raises DataError if a split that is needed (train, validation) is missing or has one class.
    """
    dataset = scan(root, positive)
    if not dataset.presplit:
        whole = decode(dataset.photos, spec)
        photos = split(whole, seed)
        samples = {name: _part(whole, photos, name) for name in SPLITS}
        return Splits(dataset=dataset, samples=samples, unreadable=whole.unreadable)
    chosen = {name: dataset.of(name) for name in ("train", "validation")}
    if any(photo.split == "test" for photo in dataset.photos):
        chosen["test"] = dataset.of("test")
    samples = {n: decode(photos, spec, f"Reading {n} photos") for n, photos in chosen.items()}
    bad = tuple(line for part in samples.values() for line in part.unreadable)
    return Splits(dataset=dataset, samples=samples, unreadable=bad)


def _part(whole: Samples, photos: list[Photo], name: str) -> Samples:
    places = [i for i, photo in enumerate(photos) if photo.split == name]
    labels = whole.labels[places]
    if len(Counter(labels.tolist())) < 2:
        raise DataError(f"too few photos: the split {name!r} would have one class only")
    return Samples(whole.pixels[places], labels, tuple(photos[i] for i in places))


def _counts(samples: Samples) -> dict[str, int]:
    corroded = int(samples.labels.sum())
    return {"corrosion": corroded, "no-corrosion": len(samples) - corroded}
