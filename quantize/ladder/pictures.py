"""The pictures that ranges and weights are found on: training photos and changed views of them."""

from typing import Final

import numpy as np
import numpy.typing as npt

from corrosion_edge.quantize.calibrate import choose
from corrosion_edge.trainer.samples import Samples
from corrosion_edge.trainer.views import Augmentation, Views

__all__ = ["pictures"]

_CHANGES: Final = Augmentation(
    zoom=0.4, flip="horizontal_and_vertical", contrast=0.2, brightness=0.05, hue=0.03,
    hue_clean=0.25, saturation=0.3, grey=0.1,
)  # fmt: skip


def pictures(training: Samples, count: int, seed: int) -> npt.NDArray[np.float32]:
    """Float32 [n, h, w, 3] in 0..255: ``count`` training photos, half of each class.

    Every second one is a crop with other colours, so that the int8 model also follows the float
    one where photos differ from the usual. The answers to them need no label.
    """
    chosen = choose(training, count, seed)
    pixels, labels = training.pixels[chosen], training.labels[chosen]
    views = np.concatenate(list(Views(_CHANGES, seed).make(pixels, labels, 0)))
    plain = pixels.astype(np.float32)
    plain[1::2] = views[1::2]
    return plain
