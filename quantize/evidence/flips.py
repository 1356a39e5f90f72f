"""The photos whose verdict turned, each with both scores and both heat maps side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from corrosion_edge import heatmap, image
from corrosion_edge.prediction import LABELS, Prediction
from corrosion_edge.quantize.evidence.models import Look
from corrosion_edge.quantize.evidence.sets import Scored
from corrosion_edge.report import Block, Figure, Text
from corrosion_edge.trainer.dataset.features import shrink
from corrosion_edge.trainer.dataset.sheet import picture_sheet

__all__ = ["MOST", "Flip", "find_flips", "flip_blocks"]

MOST: Final = 20
"""Photos that are shown of one set."""

_SIDE = 164  # pixels of a shown photo's longest side
_KINDS: Final = {
    (1, True): "Corrosion missed: photos with corrosion that only float calls so",
    (0, False): "Corrosion added: photos without corrosion that only int8 calls corrosion",
    (0, True): "False alarms gone: photos without corrosion that only float calls corrosion",
    (1, False): "Corrosion found: photos with corrosion that only int8 calls so",
}
"""By label and whether the verdict turned to no corrosion; the dearest mistakes first."""


@dataclass(frozen=True, slots=True)
class Flip:
    """A photo, by its place in the set, whose verdict turned; ``missed``: to no corrosion."""

    place: int
    label: int
    missed: bool


def find_flips(scored: Scored, threshold: float) -> list[Flip]:
    """Every flip: the dearest kind first, within it the largest change first."""
    called, called_after = scored.before >= threshold, scored.after >= threshold
    order = {kind: rank for rank, kind in enumerate(_KINDS)}
    found = [
        Flip(int(place), int(scored.samples.labels[place]), bool(called[place]))
        for place in np.flatnonzero(called != called_after)
    ]
    change = np.abs(scored.before - scored.after)
    return sorted(found, key=lambda f: (order[f.label, f.missed], -change[f.place], f.place))


def flip_blocks(scored: Scored, threshold: float, looks: tuple[Look, Look]) -> list[Block]:
    """Blocks for a page: at most ``MOST`` photos, and a word on the rest.

    ``looks`` are the float model's and int8's. The photos are read again.
    """
    flips = find_flips(scored, threshold)
    if not flips:
        return [Text("No verdict turned.")]
    blocks: list[Block] = [Text(_count(flips))]
    shown = flips[:MOST]
    for kind, title in _KINDS.items():
        those = [flip for flip in shown if (flip.label, flip.missed) == kind]
        if those:
            blocks.append(Text(f"{title}."))
            blocks += [_figure(scored, flip, threshold, looks) for flip in those]
    return blocks


def _count(flips: Sequence[Flip]) -> str:
    text = (
        "Each photo with the heat maps of both models over it: yellow to dark red, the stronger "
        "the evidence; nothing where there is none."
    )
    if len(flips) > MOST:
        rest = len(flips) - MOST
        text = f"{MOST} of {len(flips)} are shown, the other {rest} are in the CSV file. {text}"
    return text


def _figure(scored: Scored, flip: Flip, threshold: float, looks: tuple[Look, Look]) -> Figure:
    place, prepared = flip.place, scored.samples.pixels[flip.place]
    small = shrink(image.read(scored.samples.photos[place].path), _SIDE)
    pixels = np.asarray(small)
    cells = [(pixels, LABELS[flip.label], "photo")]
    for name, look, score in zip(
        ("float", "int8"), looks, (scored.before[place], scored.after[place]), strict=True
    ):
        seen = look(prepared)
        verdict = LABELS[int(score >= threshold)]
        picture, title = _laid_over(pixels, seen), f"{name}: {score:.3f}"
        cells.append((picture, title, verdict))
    caption = (
        f"{scored.place(place)}: float {scored.before[place]:.3f}, int8 {scored.after[place]:.3f}"
    )
    return Figure(picture_sheet(cells), caption, caption)


def _laid_over(pixels: npt.NDArray[np.uint8], seen: Prediction) -> npt.NDArray[np.uint8]:
    return pixels if seen.heatmap is None else heatmap.overlay(pixels, seen)
