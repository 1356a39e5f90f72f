"""Fine-tuning with every activation rounded, towards the answers of the float network.

Nothing is learned about corrosion: no label is used, the float network is the teacher
(distillation, Hinton et al. 2015). Rounding has no slope; the one that training goes by is 1
within a range and 0 outside (straight-through estimator, Bengio et al. 2013), as in TensorFlow's
fake_quant operators (Jacob et al. 2018). Weights stay unrounded here and are settled on int8's
steps afterwards (``solve.settle``).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from corrosion_edge.progress import progress
from corrosion_edge.quantize.ladder.arithmetic import run
from corrosion_edge.quantize.ladder.network import WEIGHTED, Network
from corrosion_edge.quantize.ladder.ranges import Range

__all__ = ["Tuning", "tune"]

_DOUBT: Final = 0.02  # weight of a picture whose probability is 0 or 1, against 0.27 at 0.5
_MOST: Final = 2.0  # change of the log-odds beyond which a picture pulls no harder
_WARM_UP: Final = 10  # steps
Array = npt.NDArray[Any]
Pixels = npt.NDArray[np.float32]
Epochs = Callable[[int], Pixels]
"""Float32 [n, h, w, 3] in 0..255, in random order: the pictures of an epoch, from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """``rate`` is the largest step of a weight, in standard deviations of its tensor's weights.

    ``features`` weighs the change of the last feature map against that of the log-odds.
    """

    epochs: int = 3
    batch: int = 16
    rate: float = 3e-5
    features: float = 1.0

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch) < 1 or min(self.rate, self.features) < 0:
            raise ValueError(f"expected positive numbers, got {self}")


def tune(
    teacher: Network,
    start: Mapping[int, Array],
    ranges: Mapping[int, Range],
    pictures: Epochs,
    tuning: Tuning | None = None,
) -> dict[int, Array]:
    """Weights and biases, float32, by tensor, from ``start`` (or else the teacher's own).

    ``ranges`` are those of all operators' outputs, and stay. A weight far from where the float
    network has it learns slowly on purpose: what it must not lose is everything else.
    """
    tuning = tuning or Tuning()
    weights = _Weights(teacher, start)
    epochs = _batches(pictures, tuning)
    first = next(epochs)
    total = tuning.epochs * first[1]
    step = _stepper(teacher, weights, ranges, tuning, total)
    for batch in progress(_chain(first[0], epochs), "Fine-tuning", length=total):
        step(tf.constant(batch - np.float32(teacher.offset)))
    return weights.values()
