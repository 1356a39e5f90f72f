"""The photos whose verdict turned, each with both scores and both heat maps side by side."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from corrosion_edge import heatmap, image
from corrosion_edge.precision import INT8
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
    (0, False): "Corrosion added: photos without corrosion that only {} calls corrosion",
    (0, True): "False alarms gone: photos without corrosion that only float calls corrosion",
    (1, False): "Corrosion found: photos with corrosion that only {} calls so",
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


def flip_blocks(
    scored: Scored, threshold: float, looks: tuple[Look, Look], converted: str = INT8
) -> list[Block]:
    """Blocks for a page: at most ``MOST`` photos, and a word on the rest.

    ``looks`` are the float model's and the ``converted`` one's. The photos are read again.
    """
    flips = find_flips(scored, threshold)
    if not flips:
        return [Text("No verdict turned.")]
    shown = flips[:MOST]
    maps = looks[1](scored.samples.pixels[shown[0].place]).heatmap is not None
    blocks: list[Block] = [Text(_introduction(len(flips), maps))]
    for kind, title in _KINDS.items():
        those = [flip for flip in shown if (flip.label, flip.missed) == kind]
        if those:
            blocks.append(Text(f"{title.format(converted)}."))
            blocks += [_figure(scored, flip, threshold, looks, converted) for flip in those]
    return blocks


def _introduction(count: int, maps: bool) -> str:
    text = (
        "Each photo with the heat maps of both models over it: yellow to dark red, the stronger "
        "the evidence; nothing where there is none."
        if maps
        else "The model has no heat map: it pools by maximum."
    )
    if count > MOST:
        text = f"{MOST} of {count} are shown, the other {count - MOST} are in the CSV file. {text}"
    return text


def _figure(
    scored: Scored, flip: Flip, threshold: float, looks: tuple[Look, Look], converted: str
) -> Figure:
    place, prepared = flip.place, scored.samples.pixels[flip.place]
    path = scored.samples.photos[place].path
    pixels = np.asarray(shrink(image.read(path), _SIDE))
    cells = [(pixels, "photo, labelled", LABELS[flip.label])]
    scores = {"float": scored.before[place], converted: scored.after[place]}
    for look, (name, score) in zip(looks, scores.items(), strict=True):
        verdict = LABELS[int(score >= threshold)]
        cells.append((_laid_over(pixels, look(prepared)), f"{name}: {score:.3f}", verdict))
    text = ", ".join(f"{name} {score:.3f}" for name, score in scores.items())
    return Figure(picture_sheet(cells), scored.place(place), f"{scored.place(place)}: {text}")


def _laid_over(pixels: npt.NDArray[np.uint8], seen: Prediction) -> npt.NDArray[np.uint8]:
    return pixels if seen.heatmap is None else heatmap.overlay(pixels, seen)
