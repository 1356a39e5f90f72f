"""Whether two photos show the same pixels: the second measure, on the pictures laid together."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from corrosion_edge.trainer.dataset.features import Features, hash_distance
from corrosion_edge.trainer.dataset.register import Overlay, flat_overlay, overlay

__all__ = ["FEW", "MANY", "Measures", "confirm"]

FEW: Final = 10
"""Fewest key points that must agree on one map, where the pixels agree very well."""

MANY: Final = 15
"""Key points from which the pixels need to agree only for the greater part."""

_LOOSE: Final = 0.5  # correlation and agreement with MANY key points
_STRICT: Final = 0.8  # and with FEW, or with hashes alone
_TURNED: Final = 0.95  # and where the map turns the picture's axes
_TURNED_POINTS: Final = 40  # with as many key points
_STRAIGHT: Final = 0.3  # degrees: edits keep the axes, a second exposure never lands on them
_COMMON: Final = 0.5  # of the smaller photo must lie within the other
HASH_ALONE: Final = 10
"""Bits of 64 in which hashes may differ where no key points agree."""
_TILES: Final = 8  # tiles along each side of the common part
_TILE_AGREES: Final = 0.6  # correlation within a tile
_FLAT: Final = 0.35  # detail of a tile, relative to the whole, under which it says nothing,
_FAINT: Final = 2.0  # unless it is more than so many levels, as beside a bold caption
_FEWEST_TILES: Final = 4
_WITHIN: Final = 0.5  # part of a tile that must lie in the common part
_SMALLEST: Final = 400  # pixels of a common part that can be judged
_THINNEST: Final = 0.05  # a map that squeezes a photo to less of its area is none
_Grey = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """How alike two photos are.

    ``hash_bits``: 0 to 64, least over flips. ``inliers``: key points that agree on one affine
    map. ``overlap``: the part of the smaller photo that lies within the other, 0 to 1.
    ``turn``: degrees, 0 to 45, by which the map turns an axis away from a quarter turn.
    ``correlation``: of the local detail of the common part, -1 to 1. ``agreement``: share of its
    tiles with detail in which the detail correlates, 0 to 1.
    """

    hash_bits: int
    inliers: int
    overlap: float
    turn: float
    correlation: float
    agreement: float
    mirrored: bool

    @property
    def same(self) -> bool:
        """Whether these are the measures of one photo in two versions."""
        least = min(self.correlation, self.agreement)
        if self.overlap < _COMMON or least < _LOOSE:
            return False
        if self.turn > _STRAIGHT:
            return self.inliers >= _TURNED_POINTS and least >= _TURNED
        if self.inliers >= MANY:
            return True
        return least >= _STRICT and (self.inliers >= FEW or self.hash_bits <= HASH_ALONE)


def confirm(first: Features, second: Features) -> Measures | None:
    """Measure a pair of photos; None where they are not the same photo."""
    bits = hash_distance(first.hashes, second.hashes)
    found = overlay(first, second, FEW)
    measures = _judge(first, found, int(bits.min())) if found else None
    if measures is not None and measures.same:
        return measures
    if bits.min() > HASH_ALONE:
        return None
    flat = _judge(first, flat_overlay(first, second, int(bits.argmin())), int(bits.min()))
    return flat if flat is not None and flat.same else None


def _judge(first: Features, found: Overlay, bits: int) -> Measures | None:
    lower, upper, inside, overlap = _together(first.grey, found)
    if np.count_nonzero(inside) < _SMALLEST:
        return None
    one, other = _detail(lower, inside), _detail(upper, inside)
    return Measures(
        hash_bits=bits,
        inliers=found.inliers,
        overlap=overlap,
        turn=found.turn,
        correlation=_correlation(one[inside], other[inside]),
        agreement=_agreement(one, other, inside),
        mirrored=found.mirrored,
    )


def _together(
    grey: npt.NDArray[np.uint8], found: Overlay
) -> tuple[_Grey, _Grey, npt.NDArray[np.bool_], float]:
    """Both pictures in the pixels of the coarser one, where they overlap, and how much they do.

    The finer one is blurred before it is sampled, else its lost detail would count as different.
    """
    matrix, lower, upper = found.matrix, grey, found.picture
    area = abs(float(np.linalg.det(matrix[:, :2])))
    if not _THINNEST**2 < area < _THINNEST**-2:
        nothing = np.zeros(lower.shape, np.float32)
        return nothing, nothing, nothing > 0, 0.0
    if area > 1:
        matrix, area = cv2.invertAffineTransform(matrix), 1 / area
        lower, upper = upper, lower
    fine = upper.astype(np.float32)
    if area < 0.9:
        fine = cv2.GaussianBlur(fine, (0, 0), 0.5 * float(np.sqrt(1 / area - 1)))
    size = (lower.shape[1], lower.shape[0])
    inside = cv2.warpAffine(np.ones_like(fine), matrix, size) > 0.99
    moved = np.asarray(cv2.warpAffine(fine, matrix, size), np.float32)
    smaller = min(lower.size, upper.size * area)
    overlap = min(1.0, float(np.count_nonzero(inside) / smaller))
    return lower.astype(np.float32), moved, np.asarray(inside), overlap


def _detail(picture: _Grey, inside: npt.NDArray[np.bool_]) -> _Grey:
    """Band-passed brightness; what lies outside the common part has no influence."""
    width = float(np.sqrt(np.count_nonzero(inside))) / 200
    mask = inside.astype(np.float32)
    box = 2 * round(2 + 10 * width) + 1
    fine, fine_share = (cv2.GaussianBlur(x, (0, 0), 1 + width) for x in (picture * mask, mask))
    coarse, coarse_share = (cv2.blur(x, (box, box)) for x in (picture * mask, mask))
    least = np.float32(1e-3)
    return np.asarray(fine / np.maximum(fine_share, least)) - np.asarray(
        coarse / np.maximum(coarse_share, least)
    )


def _agreement(one: _Grey, other: _Grey, inside: npt.NDArray[np.bool_]) -> float:
    """Share of the tiles with detail in either picture in which the details correlate.

    A caption or a cut-out background spoils some tiles, another photo with the same caption
    agrees in few. 0 if there are fewer than ``_FEWEST_TILES``.
    """
    rows, columns = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    mask, x, y = inside[box].astype(np.float32), one[box], other[box]

    def mean(values: _Grey) -> _Grey:
        tiles = cv2.resize(values * mask, (_TILES, _TILES), interpolation=cv2.INTER_AREA)
        return np.asarray(tiles / np.maximum(share, 1e-6), np.float32)

    share: _Grey = np.ones((), np.float32)
    share = mean(np.ones_like(mask))
    levels = [min(_FLAT * float(picture[inside].std()), _FAINT) ** 2 for picture in (one, other)]
    means = mean(x), mean(y)
    variances = mean(x * x) - means[0] ** 2, mean(y * y) - means[1] ** 2
    detailed = (variances[0] > levels[0]) | (variances[1] > levels[1])
    judged = detailed & (share >= _WITHIN)
    if np.count_nonzero(judged) < _FEWEST_TILES:
        return 0.0
    product = np.maximum(variances[0] * variances[1], 1e-12)
    return float(
        np.mean(((mean(x * y) - means[0] * means[1]) / np.sqrt(product))[judged] > _TILE_AGREES)
    )


def _correlation(one: _Grey, other: _Grey) -> float:
    one, other = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((one * one).sum() * (other * other).sum()))
    return float((one * other).sum()) / scale if scale > 1e-6 else 0.0
