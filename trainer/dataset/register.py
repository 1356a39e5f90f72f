"""Laying one photo over another: matched key points, and the affine map that most of them obey."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from corrosion_edge.trainer.dataset.features import MIRRORED, Features, rooted

__all__ = ["Overlay", "flat_overlay", "overlay"]

_RATIO: Final = 0.8  # Lowe's: the best match against the second best
_REACH: Final = 3.0  # pixels by which a point may miss its place
_TRIALS: Final = 1000  # of RANSAC

_FLIPS: Final = ((1, 1), (1, -1), (-1, 1), (-1, -1))  # steps along y and x, as the hashes' flips
_Map = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """How ``picture`` lies over another photo.

    ``matrix`` float64 [2, 3] maps x, y of ``picture``, uint8 [h, w], the second photo or its
    mirror image, to x, y of the first. ``inliers`` key points agree on it.
    """

    matrix: _Map
    picture: npt.NDArray[np.uint8]
    inliers: int
    mirrored: bool

    @property
    def turn(self) -> float:
        """Degrees, 0 to 45, by which the map turns the x or the y axis off a quarter turn."""
        angles = np.degrees(np.arctan2(self.matrix[1, :2], self.matrix[0, :2])) % 90
        return float(np.minimum(angles, 90 - angles).max())


def overlay(first: Features, second: Features, fewest: int) -> Overlay | None:
    """The affine map from ``second``, mirrored or not, to ``first`` with the most inliers.

    None if fewer than ``fewest`` key points agree. The map is found by RANSAC (Fischler and
    Bolles, 1981); OpenCV's own generator is seeded, so the same photos give the same map.
    """
    best: Overlay | None = None
    for mirrored, pairs in enumerate(_matches(first, second)):
        if len(pairs) < fewest:
            continue
        found = _fit(first, second, pairs, bool(mirrored))
        if found is not None and found.inliers >= max(fewest, best.inliers + 1 if best else 0):
            best = found
    return best


def flat_overlay(first: Features, second: Features, flip: int) -> Overlay:
    """The whole of ``second``, flipped as hash number ``flip`` is, stretched over ``first``."""
    down, across = _FLIPS[flip]
    (h, w), (height, width) = first.grey.shape, second.grey.shape
    matrix = np.array([[w / width, 0, (w / width - 1) / 2], [0, h / height, (h / height - 1) / 2]])
    picture = np.ascontiguousarray(second.grey[::down, ::across])
    return Overlay(matrix, picture, 0, mirrored=down * across < 0)


def _matches(first: Features, second: Features) -> Iterator[npt.NDArray[np.int64]]:
    """Pairs of points, [m, 2], with the second photo as it is, then mirrored."""
    if min(len(first.points), len(second.points)) < 2:
        return
    one, other = rooted(first.descriptors), rooted(second.descriptors)
    for bins in (slice(None), MIRRORED):
        yield _mutual(one @ other[:, bins].T)


def _mutual(alike: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Pairs that are each other's best, and clearly better than the second best."""
    rows = np.arange(len(alike))
    best = alike.argmax(axis=1)
    back = alike.argmax(axis=0)
    top = alike[rows, best]
    alike[rows, best] = -1
    second = alike.max(axis=1)
    clear = (1 - top) < _RATIO**2 * (1 - second)  # squared distance is 2 - 2 * similarity
    kept = clear & (back[best] == rows)
    return np.stack([rows[kept], best[kept]], axis=1)


def _fit(
    first: Features, second: Features, pairs: npt.NDArray[np.int64], mirrored: bool
) -> Overlay | None:
    source = second.points[pairs[:, 1]]
    picture = second.grey
    if mirrored:
        picture = np.ascontiguousarray(picture[:, ::-1])
        source = np.stack([picture.shape[1] - 1 - source[:, 0], source[:, 1]], axis=1)
    matrix, inliers = cv2.estimateAffine2D(
        source,
        first.points[pairs[:, 0]],
        method=cv2.RANSAC,
        ransacReprojThreshold=_REACH,
        maxIters=_TRIALS,
        confidence=0.99,
    )
    if matrix is None or not np.isfinite(matrix).all():
        return None
    return Overlay(matrix, picture, int(inliers.sum()), mirrored)
