"""Small networks in float and int8 that the tests of the ladder share."""

import pickle
from functools import cache

import keras
import numpy as np
from common import Common

from corrosion_edge.quantize.convert import Conversions, conversions
from corrosion_edge.quantize.ladder.network import Network, read
from corrosion_edge.trainer import backbones, model

SIZE = 64


def pictures(count: int, seed: int = 0, size: int = SIZE) -> np.ndarray:
    """Smooth random pictures, uint8 [n, size, size, 3]."""
    coarse = np.random.default_rng(seed).uniform(0, 255, (count, 8, 8, 3)).astype(np.float32)
    return np.asarray(keras.ops.image.resize(coarse, (size, size))).astype(np.uint8)


@cache
def converted(name: str, pooling: str = "avg") -> Conversions:
    """A backbone with random weights and a head that answers differently to each picture.

    Made once for all processes of a test run: DenseNet-121 takes more than a minute.
    """
    with Common.held(f"{name}-{pooling}.pickle") as file:
        if not file.exists():
            made = pickle.dumps(_converted(name, pooling))
            file.write_bytes(made)
        found: Conversions = pickle.loads(file.read_bytes())
    return found


def _converted(name: str, pooling: str) -> Conversions:
    keras.utils.set_random_seed(1)
    network, _ = backbones.build(name, SIZE, "none")
    _settle(network)
    parts = model.assemble(network, pooling)
    features = parts.features.predict(pictures(8), verbose=0)
    weights = np.random.default_rng(0).normal(size=features.shape[1])
    spread = float((features @ weights).std()) or 1.0
    weights *= 2 / spread
    model.set_head(parts.model, weights, -float((features @ weights).mean()))
    return conversions(model.deliverable(parts.model), pictures(8))


def opened(name: str) -> Network:
    """The float one, taken apart."""
    return read(converted(name).float_model)


def _settle(network: keras.Model) -> None:
    """Let batch normalisation know the random weights, or the signal dies on its way."""
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    network(pictures(16, seed=1).astype(np.float32), training=True)
