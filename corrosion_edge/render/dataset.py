"""A labelled set of rendered pictures in the folder layout that the trainer reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from corrosion_edge.render.scene import surface
from corrosion_edge.render.surfaces import SURFACES

__all__ = ["golden_pictures", "write_dataset"]

QUALITY = 92  # JPEG
RUST_RANGE = (0.08, 0.8)
GOLDEN_RATIO = 0.6180339887  # multiples of it, modulo 1, fill an interval evenly
SEEDS_PER_SET = 1_000_000  # keeps the seeds of two sets apart
GOLDEN_SIZES = ((320, 240), (240, 320), (224, 224), (400, 160), (180, 300), (640, 480))


@dataclass(frozen=True, slots=True)
class _Item:
    split: str
    label: str
    kind: str
    rust: float
    seed: int

    @property
    def path(self) -> Path:
        percent = round(100 * self.rust)
        return Path(self.split, self.label, f"{self.kind}-seed{self.seed}-rust{percent:02d}.jpg")


def _counts(per_class: int) -> dict[str, int]:
    """70 % for training, 20 % for validation, the rest for the test."""
    train, validation = round(0.7 * per_class), round(0.2 * per_class)
    return {"train": train, "validation": validation, "test": per_class - train - validation}


def _items(per_class: int, seed: int) -> Iterator[_Item]:
    number = seed * SEEDS_PER_SET
    low, high = RUST_RANGE
    for split, count in _counts(per_class).items():
        for label in ("CORROSION", "NOCORROSION"):
            for place in range(count):
                share = low + (high - low) * ((number * GOLDEN_RATIO) % 1.0)
                rust = share if label == "CORROSION" else 0.0
                yield _Item(split, label, SURFACES[place % len(SURFACES)], rust, number)
                number += 1


def write_dataset(
    folder: str | Path, *, per_class: int, seed: int, size: tuple[int, int] = (320, 240)
) -> None:
    """Write `per_class` pictures of each class below `folder` as JPEG files.

    The layout is {train,validation,test}/{CORROSION,NOCORROSION}/KIND-seedN-rustPERCENT.jpg with
    70, 20 and 10 % of each class. All kinds appear in both classes: CORROSION with a coverage
    from 0.08 to 0.8, NOCORROSION with none. No seed is used twice. The same arguments give the
    same bytes on the same Pillow and numpy. Raises ValueError if `per_class` is below 10 or above
    500 000, and FileExistsError if a folder of the layout is there already.
    """
    if not 10 <= per_class <= SEEDS_PER_SET // 2:
        raise ValueError(f"per_class must be from 10 to {SEEDS_PER_SET // 2}, got {per_class}.")
    for split in _counts(per_class):
        for label in ("CORROSION", "NOCORROSION"):
            Path(folder, split, label).mkdir(parents=True)
    for item in _items(per_class, seed):
        pixels = surface(item.kind, rust=item.rust, seed=item.seed, size=size)
        Image.fromarray(pixels).save(Path(folder, item.path), "JPEG", quality=QUALITY)


def golden_pictures(count: int = 6) -> tuple[NDArray[np.uint8], ...]:
    """`count` pictures, uint8 [h, w, 3] RGB, of differing sizes, kinds and coverage.

    They are made to be stored beside expected outputs; every second one is rusted. Raises
    ValueError if `count` is below 1.
    """
    if count < 1:
        raise ValueError(f"count must be at least 1, got {count}.")
    return tuple(
        surface(
            SURFACES[place % len(SURFACES)],
            rust=0.0 if place % 2 == 0 else 0.15 + 0.6 * ((place * GOLDEN_RATIO) % 1.0),
            seed=9_000 + place,
            size=GOLDEN_SIZES[place % len(GOLDEN_SIZES)],
        )
        for place in range(count)
    )
