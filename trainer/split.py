"""Splitting a folder of two classes 70/20/10: seeded, stratified, duplicates kept together."""

from dataclasses import replace
from typing import Final

import imagehash
import numpy as np
import numpy.typing as npt
from PIL import Image
from sklearn.model_selection import StratifiedGroupKFold

from corrosion_edge.errors import DataError
from corrosion_edge.trainer.data import Photo
from corrosion_edge.trainer.samples import Samples

__all__ = ["NEAR", "duplicate_groups", "split"]

NEAR: Final = 6
"""Bits of 64 in which the perceptual hashes of two copies of a photo may differ."""

_FOLDS = 10  # 7 for training, 2 for validation, 1 for testing


def split(samples: Samples, seed: int) -> list[Photo]:
    """The photos with their split set: 70 % train, 20 % validation, 10 % test.

    Each split has both classes in the proportion of the whole; photos that look the same go to
    the same split. Raises DataError if there are too few photos for that.
    """
    groups = duplicate_groups(samples.pixels)
    fewest = min(len(set(groups[samples.labels == label])) for label in (0, 1))
    if fewest < _FOLDS:
        raise DataError(
            f"{_FOLDS} different photos of each class are needed to split them 70/20/10; "
            f"one class has {fewest}"
        )
    folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=seed)
    photos = list(samples.photos)
    for number, (_, members) in enumerate(folds.split(groups, samples.labels, groups)):
        name = "test" if number == 0 else "validation" if number <= 2 else "train"
        for member in members:
            photos[member] = replace(photos[member], split=name)
    return photos


def duplicate_groups(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """A group number for each of uint8 [n, h, w, 3]: equal for photos that look the same.

    Two photos look the same if their 64-bit perceptual hashes (pHash, the ImageHash library)
    differ in at most ``NEAR`` bits; groups are the connected components of that relation.
    """
    hashes = np.stack([imagehash.phash(Image.fromarray(p)).hash.ravel() for p in pixels])
    signs = np.where(hashes, 1, -1).astype(np.float32)
    groups = np.arange(len(pixels))
    for place, row in enumerate(signs):
        near = np.flatnonzero((signs.shape[1] - signs[:place] @ row) / 2 <= NEAR)
        if near.size:
            joined = np.isin(groups, np.append(groups[near], groups[place]))
            groups[joined] = groups[joined].min()
    return groups
