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

__all__ = ["Epochs", "Tuning", "tune"]

_DOUBT: Final = 0.02  # weight of a picture whose probability is 0 or 1, against 0.27 at 0.5
_MOST: Final = 2.0  # change of the log-odds beyond which a picture pulls no harder
_WARM_UP: Final = 10  # steps
_FADE: Final = 0.99  # of the mean square of a weight's slopes, in Adam
_LEAST: Final = 1e-3  # spread of a channel that always holds the same
Array = npt.NDArray[Any]

Epochs = Callable[[int], npt.NDArray[np.float32]]
"""Float32 [n, h, w, 3] in 0..255, in random order: the pictures of an epoch, from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """``rate`` is the largest step of a weight, in standard deviations of its tensor's weights.

    ``features`` weighs the change of the last feature map, in standard deviations of a channel,
    against that of the log-odds. Raises ValueError for what is not positive.
    """

    epochs: int = 3
    batch: int = 16
    rate: float = 3e-5
    features: float = 1.0

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch) < 1 or not min(self.rate, self.features) > 0:
            raise ValueError(f"expected positive numbers, got {self}")


def tune(
    teacher: Network,
    start: Mapping[int, Array],
    ranges: Mapping[int, Range],
    epochs: Epochs,
    tuning: Tuning | None = None,
) -> dict[int, Array]:
    """Weights and biases, float32, by tensor, from ``start`` (or else the teacher's own).

    ``ranges`` are those of all operators' outputs; they stay.
    """
    tuning = tuning or Tuning()
    weights = _Weights(teacher, start)
    pictures = epochs(0)
    batches = len(pictures) // tuning.batch or 1
    step = _stepper(teacher, weights, ranges, tuning, batches * tuning.epochs)
    shown = _batches(pictures, epochs, batches, tuning)
    for batch in progress(shown, "Fine-tuning", length=batches * tuning.epochs):
        step(tf.constant(batch - np.float32(teacher.offset)))
    return weights.arrays()


class _Weights:
    """Each tensor as what it was plus its spread times a move, which is what is learned."""

    def __init__(self, network: Network, start: Mapping[int, Array]) -> None:
        constants = {**network.constants, **start}
        self._start: dict[int, Any] = {}
        self._spread: dict[int, float] = {}
        for op in network.ops:
            if op.kind in WEIGHTED:
                for number in op.inputs[1:3]:
                    self._start[number] = tf.constant(constants[number], tf.float32)
                    self._spread[number] = float(constants[op.inputs[1]].std())
        self.moves = {
            number: keras.Variable(np.zeros(value.shape, np.float32), name=f"move_{number}")
            for number, value in self._start.items()
        }

    def tensors(self) -> dict[int, Any]:
        """The weights as they are now, by tensor."""
        return {
            number: value + self._spread[number] * self.moves[number].value
            for number, value in self._start.items()
        }

    def arrays(self) -> dict[int, Array]:
        """The same as arrays."""
        return {number: np.asarray(value) for number, value in self.tensors().items()}


def _batches(
    first: npt.NDArray[np.float32], epochs: Epochs, batches: int, tuning: Tuning
) -> Iterator[npt.NDArray[np.float32]]:
    for epoch in range(tuning.epochs):
        pictures = epochs(epoch) if epoch else first
        for i in range(batches):
            yield pictures[i * tuning.batch : (i + 1) * tuning.batch]


def _stepper(
    teacher: Network,
    weights: _Weights,
    ranges: Mapping[int, Range],
    tuning: Tuning,
    steps: int,
) -> Callable[[Any], None]:
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(steps - _WARM_UP, 1), warmup_target=tuning.rate, warmup_steps=_WARM_UP
    )
    optimizer = keras.optimizers.Adam(rate, beta_2=_FADE)
    moves = list(weights.moves.values())
    optimizer.build(moves)
    features = _last_map(teacher)
    change = _fake(ranges)

    @tf.function(autograph=False)
    def step(x: Any) -> None:
        right = run(teacher, x)
        with tf.GradientTape() as tape:
            found = run(teacher, x, weights.tensors(), change)
            loss = _by_doubt(_odds(teacher, found), _odds(teacher, right))
            loss += tuning.features * _by_spread(found[features], right[features])
        variables = [move.value for move in moves]
        slopes = tape.gradient(loss, variables, unconnected_gradients="zero")
        optimizer.apply(slopes, moves)

    return step


def _fake(ranges: Mapping[int, Range]) -> Callable[[int, Any], Any]:
    def change(number: int, value: Any) -> Any:
        held = ranges[number]
        return tf.quantization.fake_quant_with_min_max_args(value, held.low, held.high, 8)

    return change


def _last_map(network: Network) -> int:
    """What the last mean over places is taken of."""
    return next(op.inputs[0] for op in reversed(network.ops) if op.kind == "MEAN")


def _odds(network: Network, values: Mapping[int, Any]) -> Any:
    both = values[network.log_odds]
    return both[:, 1] - both[:, 0]


def _by_doubt(found: Any, right: Any) -> Any:
    """Mean square change of the log-odds, pictures near even odds counting most."""
    weight = tf.sigmoid(right) * tf.sigmoid(-right) + _DOUBT
    squares = tf.minimum(tf.square(found - right), _MOST**2)
    return tf.reduce_sum(weight * squares) / tf.reduce_sum(weight)


def _by_spread(found: Any, right: Any) -> Any:
    """Mean square change of a feature map, in standard deviations of each channel."""
    spread = tf.math.reduce_std(right, axis=[0, 1, 2]) + _LEAST
    return tf.reduce_mean(tf.square((found - right) / spread))
