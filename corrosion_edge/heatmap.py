"""Where the corrosion is: the network's map laid over the picture."""

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from corrosion_edge.prediction import Prediction

__all__ = ["FULL_EVIDENCE", "overlay", "strength"]

FULL_EVIDENCE: Final = 20.0
"""Local log-odds that are drawn in the strongest colour; the same in every picture."""

# Yellow to dark red, light to dark: read in print and by the colour-blind.
_STOPS = np.array([[255, 255, 178], [254, 178, 76], [240, 59, 32], [128, 0, 38]], np.float32)
_STRONGEST = 0.65  # the picture stays visible below the strongest evidence


def strength(local: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """How strongly local log-odds of any shape are drawn: 0, not at all, to 1 in the same shape."""
    return np.clip(local / FULL_EVIDENCE, 0, 1)


def overlay(pixels: npt.NDArray[np.uint8], prediction: Prediction) -> npt.NDArray[np.uint8]:
    """Lay the heat map over uint8 [h, w, 3] RGB pixels; same shape comes back.

    The score's log-odds are the mean of the map, so evidence is drawn as it counts, in
    proportion: nothing where it is zero or speaks against corrosion, from yellow to dark red
    up to ``FULL_EVIDENCE``. Raises ValueError for a prediction without a heat map.
    """
    if prediction.heatmap is None:
        raise ValueError("this prediction has no heat map")
    height, width = pixels.shape[:2]
    local = Image.fromarray(prediction.heatmap.astype(np.float32))
    large = np.asarray(local.resize((width, height), Image.Resampling.BICUBIC), np.float32)
    evidence = strength(large)
    opacity = _STRONGEST * np.sqrt(evidence)[..., None]
    blend = pixels * (1 - opacity) + _colour(evidence) * opacity
    return np.clip(np.rint(blend), 0, 255).astype(np.uint8)


def _colour(strength: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    places = np.linspace(0, 1, len(_STOPS))
    return np.stack([np.interp(strength, places, _STOPS[:, c]) for c in range(3)], axis=-1)
