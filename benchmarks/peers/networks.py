"""Networks without trained weights, whose latency is that of trained ones. Needs ``train``."""

from collections.abc import Callable
from typing import Final

import keras
import numpy as np
import numpy.typing as npt

from corrosion_edge.errors import UsageError
from corrosion_edge.trainer import backbones
from corrosion_edge.trainer.model import assemble, deliverable, set_head

__all__ = ["known", "untrained"]

_SEED: Final = 1
_SPREAD: Final = 2.0  # of the log-odds, so that scores differ from picture to picture


def _mobilenet_v2(size: int) -> keras.Model:
    """MobileNetV2 (Sandler and others 2018) of Keras, with the scaling of its pixels in front."""
    inputs = keras.Input((size, size, 3))
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1, name="scale")(inputs)
    network = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_tensor=scaled, input_shape=(size, size, 3)
    )
    return keras.Model(inputs, network.output, name="mobilenetv2")


_OTHERS: Final[dict[str, Callable[[int], keras.Model]]] = {"mobilenetv2": _mobilenet_v2}


def known() -> list[str]:
    """The names of all networks that can be built."""
    return [*backbones.BACKBONES, *_OTHERS]


def untrained(name: str, pictures: npt.NDArray[np.uint8]) -> keras.Model:
    """A network as it is delivered, with ``scores`` and ``map``, its weights random.

    Batch normalisation takes the statistics of ``pictures``, uint8 [n, h, h, 3], and the head
    spreads their scores: else all would be 0.5 in every runtime, and no wrong one would be seen.
    UsageError for an unknown name.
    """
    keras.utils.set_random_seed(_SEED)
    backbone = _backbone(name, pictures.shape[1])
    _settle(backbone, pictures)
    parts = assemble(backbone, "avg")
    features = parts.features.predict(pictures, batch_size=8, verbose=0)
    weights = np.random.default_rng(_SEED).normal(size=features.shape[1])
    log_odds = features @ weights
    weights *= _SPREAD / log_odds.std()
    set_head(parts.model, weights, -float((features @ weights).mean()))
    return deliverable(parts.model)


def _backbone(name: str, size: int) -> keras.Model:
    if name in _OTHERS:
        return _OTHERS[name](size)
    if name not in backbones.BACKBONES:
        raise UsageError(f"--network: expected default or one of {', '.join(known())}, got {name}")
    return backbones.build(name, size, "none")[0]


def _settle(backbone: keras.Model, pictures: npt.NDArray[np.uint8]) -> None:
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0  # what is seen replaces what was there
    backbone(pictures.astype(np.float32), training=True)
