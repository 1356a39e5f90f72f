"""How far a converted model's heat map is from the float model's, as the eye sees it."""

from typing import Final

import numpy as np
import numpy.typing as npt

from corrosion_edge.errors import UsageError
from corrosion_edge.heatmap import strength
from corrosion_edge.progress import progress
from corrosion_edge.quantize.evidence.limits import judge
from corrosion_edge.quantize.evidence.models import Look
from corrosion_edge.quantize.evidence.sets import Evidence
from corrosion_edge.trainer.samples import Samples

__all__ = ["map_change", "with_map"]

_MOST: Final = 64  # photos, evenly spread: the float model looks at one at a time, slowly

Cells = npt.NDArray[np.float32]


def with_map(evidence: Evidence, looks: tuple[Look, Look]) -> Evidence:
    """The evidence with the limit on the map judged too; as it is, where a model has no map.

    ``looks`` are the float model's and the other's. Raises UsageError if their maps have different
    shapes.
    """
    samples = evidence.data.samples
    shown = np.unique(np.linspace(0, len(samples) - 1, min(len(samples), _MOST)).astype(np.int64))
    maps = _maps(looks, samples, shown)
    if maps is None:
        return evidence
    limits = evidence.main.limits
    return evidence.with_check(judge(limits, "map_change", map_change(*maps), len(shown)))


def map_change(before: Cells, after: Cells) -> float:
    """Mean change of the strength (see ``heatmap``), 0 to 1, of local log-odds of one shape.

    Of the cells that either draws; 0 where there are none.
    """
    drawn, drawn_after = strength(before), strength(after)
    coloured = (drawn > 0) | (drawn_after > 0)
    if not coloured.any():
        return 0.0
    return float(np.abs(drawn_after - drawn)[coloured].mean())


def _maps(
    looks: tuple[Look, Look], samples: Samples, shown: npt.NDArray[np.int64]
) -> tuple[Cells, Cells] | None:
    found: tuple[list[Cells], list[Cells]] = ([], [])
    for place in progress(shown, "Comparing heat maps", length=len(shown)):
        for look, kept in zip(looks, found, strict=True):
            local = look(samples.pixels[place]).heatmap
            if local is None:
                return None
            kept.append(local)
        if found[0][-1].shape != found[1][-1].shape:
            sizes = [" x ".join(map(str, kept[-1].shape)) for kept in found]
            raise UsageError(
                f"FLOAT draws a map of {sizes[0]} cells, INT8 one of {sizes[1]}: name the model "
                "that INT8 was made from"
            )
    return np.stack(found[0]), np.stack(found[1])
