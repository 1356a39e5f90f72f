"""Float against int8, tensor by tensor, on photos."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from corrosion_edge.progress import progress
from corrosion_edge.quantize.ladder import arithmetic
from corrosion_edge.quantize.ladder.network import Op
from corrosion_edge.quantize.layers.exposed import Exposed
from corrosion_edge.quantize.layers.pair import Pair
from corrosion_edge.quantize.layers.snr import Fidelity, Tally, sqnr, worst_channel

__all__ = ["Truth", "Weights", "compare"]

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Weights:
    """SQNR in dB of an operator's constants, bias left out, and of the worst output channel."""

    snr: float | None
    worst: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What was measured: of each tensor, by number; of each operator's weights, by its place.

    ``before`` and ``after`` are the log-odds of corrosion [n] in float and in the runtime.
    """

    activations: Mapping[int, Fidelity]
    weights: Mapping[int, Weights]
    before: Scores
    after: Scores


def compare(pair: Pair, pixels: npt.NDArray[np.uint8]) -> Truth:
    """Run both over pictures, uint8 [n, h, w, 3]; one after the other, so memory is that of one."""
    tallies = {number: Tally(held) for number, held in pair.ranges.items()}
    before, after = [], []
    with Exposed(pair.integer, pair.places) as runtime:
        for picture in progress(pixels, "Comparing tensors", length=len(pixels)):
            exact = _exact(pair, picture)
            integers = runtime.run(picture)
            for number, tally in tallies.items():
                tally.add(exact[number], integers[number])
            before.append(_difference(exact[pair.network.log_odds]))
            held = pair.ranges[pair.network.log_odds]
            after.append(_difference(integers[pair.network.log_odds]) * held.scale)
    return Truth(
        {number: tally.fidelity for number, tally in tallies.items()},
        dict(_weights(pair)),
        np.array(before),
        np.array(after),
    )


def _exact(pair: Pair, picture: npt.NDArray[np.uint8]) -> dict[int, npt.NDArray[np.float32]]:
    """The original's tensors; the input in the int8 file's frame, which may be shifted."""
    x = picture[None].astype(np.float32)
    values = arithmetic.run(pair.original, tf.constant(x))
    found = {number: np.asarray(values[number]) for number in pair.ranges}
    return found | {pair.network.input: x - np.float32(pair.network.offset)}


def _difference(both: npt.NDArray[np.generic]) -> float:
    one, other = both.reshape(-1).astype(np.float64)
    return float(other - one)


def _weights(pair: Pair) -> Iterator[tuple[int, Weights]]:
    for place, (op, coarse) in enumerate(zip(pair.network.ops, pair.constants, strict=True)):
        if not coarse:
            continue
        number = next(iter(coarse))
        exact = pair.network.constants[number]
        whole = sqnr(exact, coarse[number])
        axis = _channels(op)
        yield place, Weights(whole, None if axis is None else
                             worst_channel(exact, coarse[number], axis))  # fmt: skip


def _channels(op: Op) -> int | None:
    """The axis of a weight's output channels; None for other constants."""
    return {"CONV_2D": 0, "FULLY_CONNECTED": 0, "DEPTHWISE_CONV_2D": 3}.get(op.kind)
