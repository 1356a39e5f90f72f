"""Small spots in large pictures: each tile is judged alone, and the worst one counts."""

from dataclasses import replace
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from corrosion_edge.errors import MisfitError, UsageError
from corrosion_edge.prediction import Prediction

__all__ = ["MOST", "Judges", "Tiled"]

MOST: Final = 16
"""Tiles either way at most."""

Pixels = npt.NDArray[np.uint8]


class Judges(Protocol):
    """What is wanted of a classifier."""

    def classify(self, pixels: Pixels) -> Prediction:
        """The verdict on uint8 [h, w, 3] RGB pixels."""


class Tiled:
    """Cuts a picture into ``columns`` x ``rows`` tiles that cover it without overlap.

    Each goes through the classifier as a picture of its own, one after the other. The prediction
    is that of the tile with the highest score, and names it; its map is all tiles' maps side by
    side. Raises UsageError for less than one tile, or more than ``MOST`` either way.
    """

    def __init__(self, classifier: Judges, columns: int, rows: int) -> None:
        if not (1 <= columns <= MOST and 1 <= rows <= MOST):
            raise UsageError(f"tiles: expected 1x1 to {MOST}x{MOST}, got {columns}x{rows}")
        self._classifier = classifier
        self._columns, self._rows = columns, rows

    def classify(self, pixels: Pixels) -> Prediction:
        """The verdict on uint8 [h, w, 3] RGB (MisfitError if there are more tiles than pixels)."""
        found = [[self._classifier.classify(tile) for tile in row] for row in self._cut(pixels)]
        places = [(c, r) for r in range(self._rows) for c in range(self._columns)]
        column, row = max(places, key=lambda place: found[place[1]][place[0]].score)
        worst = found[row][column]
        return replace(worst, heatmap=_stitched(found), tile=(column + 1, row + 1))

    def _cut(self, pixels: Pixels) -> list[list[Pixels]]:
        height, width = pixels.shape[:2]
        if width < self._columns or height < self._rows:
            tiles = f"{self._columns}x{self._rows}"
            raise MisfitError(f"--tiles {tiles}: the picture has only {width}x{height} pixels")
        rows = np.array_split(pixels, self._rows, axis=0)
        return [np.array_split(row, self._columns, axis=1) for row in rows]


def _stitched(found: list[list[Prediction]]) -> npt.NDArray[np.float32] | None:
    maps = [[each.heatmap for each in row if each.heatmap is not None] for row in found]
    return np.block(maps) if all(maps) else None
