"""What the tensors of a network hold on calibration photos, and how much each error matters."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from corrosion_edge.quantize.ladder.arithmetic import run
from corrosion_edge.quantize.ladder.network import Network
from corrosion_edge.quantize.ladder.ranges import Histogram

__all__ = ["Statistics", "gather"]

_BATCH: Final = 8
_BINS: Final = 2048
_FLOOR: Final = 0.002  # weight of a photo whose probability is 0 or 1, against 1/16 at 0.5
Pixels = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """Of every operator's output: its histogram, and ``places`` float32 [n, ...].

    ``places`` says of each photo and place, summed over channels, how much a squared error there
    matters.
    """

    histograms: Mapping[int, Histogram]
    places: Mapping[int, npt.NDArray[np.float32]]


def gather(network: Network, pixels: Pixels) -> Statistics:
    """Run float32 pixels [n, h, w, 3] in 0..255 through the network twice: extremes, then counts.

    An error e of a tensor's value moves the log-odds z by about dz/dx * e, and the probability p
    by p (1 - p) times that. So its square weighs (dz/dx)**2 * ((p (1 - p))**2 + a floor). On the
    way to the map alone the log-odds do not depend: all errors there weigh alike, as each is seen.
    """
    tensors = [op.output for op in network.ops]
    lows, highs = _extremes(network, tensors, pixels)
    counts = np.zeros((len(tensors), _BINS))
    weights = np.zeros_like(counts)
    places: list[list[npt.NDArray[np.float32]]] = [[] for _ in tensors]
    step = _counter(network, tensors, lows, highs)
    for batch in _batches(network, pixels):
        count, weight, place = step(batch)
        counts += count.numpy()
        weights += weight.numpy()
        for kept, found in zip(places, place, strict=True):
            kept.append(found.numpy())
    joined = [np.concatenate(one) for one in places]
    for i in np.flatnonzero(weights.sum(1) == 0):
        weights[i] = counts[i]
        joined[i] = np.ones_like(joined[i])
    histograms = {
        tensor: Histogram(float(lows[i]), float(highs[i]), counts[i], weights[i])
        for i, tensor in enumerate(tensors)
    }
    return Statistics(histograms, dict(zip(tensors, joined, strict=True)))


def _batches(network: Network, pixels: Pixels) -> Iterator[Any]:
    for start in range(0, len(pixels), _BATCH):
        yield tf.constant(pixels[start : start + _BATCH] - network.offset, tf.float32)


def _extremes(network: Network, tensors: list[int], pixels: Pixels) -> tuple[Any, Any]:
    @tf.function(autograph=False)
    def ends(x: Any) -> Any:
        values = run(network, x)
        lows = tf.stack([tf.reduce_min(values[t]) for t in tensors])
        return lows, tf.stack([tf.reduce_max(values[t]) for t in tensors])

    found = [ends(batch) for batch in _batches(network, pixels)]
    low = np.min([low.numpy() for low, _ in found], axis=0)
    high = np.max([high.numpy() for _, high in found], axis=0)
    return np.minimum(low, 0), np.maximum(high, np.minimum(low, 0) + 1e-6)


def _counter(network: Network, tensors: list[int], lows: Any, highs: Any) -> Any:
    @tf.function(autograph=False)
    def step(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            values = run(network, x)
            both = values[network.log_odds]
            z = both[:, 1] - both[:, 0]
            total = tf.reduce_sum(z)
        read = [values[t] for t in tensors]
        slopes = tape.gradient(total, read, unconnected_gradients="zero")
        photo = tf.square(tf.sigmoid(z) * tf.sigmoid(-z)) + _FLOOR
        rows = [_one(*row, photo) for row in zip(read, slopes, lows, highs, strict=True)]
        counts, weights, places = zip(*rows, strict=True)
        return tf.stack(counts), tf.stack(weights), places

    return step


def _one(value: Any, slope: Any, low: Any, high: Any, photo: Any) -> tuple[Any, Any, Any]:
    shape = [-1] + [1] * (len(value.shape) - 1)
    weight = tf.square(slope) * tf.reshape(photo, shape)
    place = (value - low) / np.float32(high - low) * _BINS
    bins = tf.reshape(tf.cast(tf.clip_by_value(place, 0, _BINS - 1), tf.int32), [-1])
    count = tf.math.bincount(bins, minlength=_BINS, maxlength=_BINS, dtype=tf.float32)
    sums = tf.math.unsorted_segment_sum(tf.reshape(weight, [-1]), bins, _BINS)
    return count, sums, tf.reduce_sum(weight, -1)
