"""From a data folder to decoded splits; training and quantization ask here for the same ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from corrosion_edge.errors import UsageError
from corrosion_edge.image import Preprocessing
from corrosion_edge.trainer.data import SPLITS, Dataset, fingerprint, scan
from corrosion_edge.trainer.samples import Samples, decode
from corrosion_edge.trainer.split import grouped

__all__ = ["GIVEN", "GROUPED", "Splits", "load"]

GIVEN: Final = "given"
"""What ``describe`` says of a folder whose own splits were taken."""

GROUPED: Final = "70/20/10, duplicates kept together"
"""What it says of photos that ``load`` split."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Splits:
    """The decoded photos of a folder by split, and a sentence for each that could not be read.

    ``split`` is "given" (as the folder came) or "grouped" (made here, by photo).
    """

    dataset: Dataset
    samples: Mapping[str, Samples]
    unreadable: tuple[str, ...]
    split: str = "given"

    def describe(self) -> dict[str, Any]:
        """Plain values: classes, counts, fingerprint, how it was split, what was left out."""
        root = self.dataset.root
        negative, positive = self.dataset.classes
        used = [photo for samples in self.samples.values() for photo in samples.photos]
        return {
            "folder": root.resolve().name,
            "fingerprint": fingerprint(used, root),
            "classes": {"no-corrosion": negative, "corrosion": positive},
            "split": GIVEN if self.split == "given" else GROUPED,
            "photos": {name: _counts(samples) for name, samples in self.samples.items()},
            "passed_over": dict(self.dataset.passed_over),
            "unreadable": list(self.unreadable),
        }


def load(
    root: Path, spec: Preprocessing, *, positive: str | None, seed: int, split: str = "given"
) -> Splits:
    """Read and prepare all photos.

    With ``split`` "given" a folder's own splits are kept; with "grouped", or if the folder is not
    split, all photos are split 70/20/10 by ``seed``, versions of one photo kept together. Raises
    DataError if a split that is needed (train, validation) is missing or has one class, and
    UsageError for another ``split``.
    """
    if split not in ("given", "grouped"):
        raise UsageError(f"split: expected given or grouped, got {split!r}")
    dataset = scan(root, positive)
    way = split if dataset.presplit else "grouped"
    if way == "grouped":
        chosen = dict(zip(SPLITS, grouped(dataset.photos, seed), strict=True))
    else:
        chosen = {name: dataset.of(name) for name in ("train", "validation")}
        if any(photo.split == "test" for photo in dataset.photos):
            chosen["test"] = dataset.of("test")
    samples = {n: decode(photos, spec, f"Reading {n} photos") for n, photos in chosen.items()}
    bad = tuple(line for part in samples.values() for line in part.unreadable)
    return Splits(dataset=dataset, split=way, samples=samples, unreadable=bad)


def _counts(samples: Samples) -> dict[str, int]:
    corroded = int(samples.labels.sum())
    return {"corrosion": corroded, "no-corrosion": len(samples) - corroded}
