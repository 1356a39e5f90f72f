"""Where the corrosion is: the network's map laid over the picture."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from corrosion_edge.prediction import Prediction

__all__ = ["overlay", "probabilities"]

# Yellow to dark red, light to dark: read in print and by the colour-blind.
_STOPS = np.array([[255, 255, 178], [254, 178, 76], [240, 59, 32], [128, 0, 38]], np.float64)
_STRONGEST = 0.6  # the picture stays visible below the strongest evidence


def probabilities(heatmap: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Local log-odds [h, w] as probabilities in [0, 1] (the logistic function)."""
    return 1.0 / (1.0 + np.exp(-np.clip(heatmap.astype(np.float64), -60, 60)))


def overlay(pixels: npt.NDArray[np.uint8], prediction: Prediction) -> npt.NDArray[np.uint8]:
    """Lay the heat map over uint8 [h, w, 3] RGB pixels; same shape comes back.

    Below a local probability of 0.5 the picture is left as it is; above, the colour goes from
    yellow to dark red. Raises ValueError for a prediction without a heat map.
    """
    if prediction.heatmap is None:
        raise ValueError("this prediction has no heat map")
    height, width = pixels.shape[:2]
    local = Image.fromarray(probabilities(prediction.heatmap).astype(np.float32))
    large = np.asarray(local.resize((width, height), Image.Resampling.BICUBIC), np.float64)
    strength = np.clip(2 * large - 1, 0, 1)[..., None]
    opacity = _STRONGEST * np.sqrt(strength)
    blend = pixels * (1 - opacity) + _colour(strength[..., 0]) * opacity
    return np.clip(np.rint(blend), 0, 255).astype(np.uint8)


def _colour(strength: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    places = np.linspace(0, 1, len(_STOPS))
    return np.stack([np.interp(strength, places, _STOPS[:, c]) for c in range(3)], axis=-1)
