"""The network around a backbone: as it is trained, and as it is delivered."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import keras
import numpy as np
import numpy.typing as npt

from corrosion_edge.errors import DataError

__all__ = [
    "DROPOUT",
    "Parts",
    "assemble",
    "cool",
    "deliverable",
    "load",
    "predict",
    "runs_on",
    "set_head",
]

DROPOUT: Final = 0.2
"""The paper's dropout rate before the classification unit."""

_BATCH = 32


@dataclass(frozen=True, slots=True)
class Parts:
    """A model and the part of it that recipes freeze.

    ``model`` takes RGB [n, h, w, 3], 0..255, and gives the probability of corrosion [n, 1];
    ``features`` gives the pooled features [n, c] of the same input. ``learner`` is the same
    network with the same weights, to be called in training mode.
    """

    model: keras.Model
    backbone: keras.Model
    features: keras.Model
    learner: keras.Model


def assemble(backbone: keras.Model, pooling: str, *, batch_norm_learns: bool = False) -> Parts:
    """Backbone, global ``avg`` or ``max`` pooling, dropout, one logistic unit.

    Batch normalisation stays in inference mode in all recipes that start from given weights;
    ``batch_norm_learns`` is for training from random ones.
    """
    inputs = keras.Input(backbone.input_shape[1:], name="image")
    pools = {"avg": keras.layers.GlobalAveragePooling2D, "max": keras.layers.GlobalMaxPooling2D}
    pool = pools[pooling](name=f"{pooling}_pool")
    dropout = keras.layers.Dropout(DROPOUT, name="dropout")
    unit = keras.layers.Dense(1, activation="sigmoid", name="corrosion")
    pooled = pool(backbone(inputs))
    model = keras.Model(inputs, unit(dropout(pooled)), name="corrosion_edge")
    learner = model
    if not batch_norm_learns:
        learner = keras.Model(inputs, unit(dropout(pool(_InferenceMode(backbone)(inputs)))))
    return Parts(model, backbone, keras.Model(inputs, pooled, name="features"), learner)


class _InferenceMode(keras.layers.Layer):
    """Calls a network in inference mode, whatever the mode of the model around it.

    A ``training=False`` written into a functional graph is not enough: Keras 3 overrides it with
    the mode of the outer model, and batch normalisation would then learn.
    """

    def __init__(self, network: keras.Model) -> None:
        super().__init__()
        self.network = network

    def call(self, pixels: keras.KerasTensor) -> keras.KerasTensor:
        return self.network(pixels, training=False)


def set_head(model: keras.Model, weights: npt.NDArray[np.float64], bias: float) -> None:
    """Put a fitted linear head, weights [c] and bias, into the classification unit."""
    model.get_layer("corrosion").set_weights(
        [weights.astype(np.float32)[:, None], np.array([bias], np.float32)]
    )


def cool(model: keras.Model, temperature: float) -> None:
    """Divide the log-odds of the classification unit by ``temperature``, within its weights."""
    unit = model.get_layer("corrosion")
    unit.set_weights([value / np.float32(temperature) for value in unit.get_weights()])


def predict(model: keras.Model, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Probabilities of corrosion, float64 [n], for uint8 [n, h, w, 3] RGB."""
    scores = model.predict(pixels, batch_size=_BATCH, verbose=0)
    return np.asarray(scores, np.float64)[:, 0]


def runs_on() -> str:
    """What networks run on here: Keras, its engine, and the kind of device."""
    import tensorflow as tf

    device = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    return f"keras {keras.__version__}, tensorflow {tf.__version__}, {device}"


def load(path: Path) -> keras.Model:
    """Load a ``.keras`` file made by ``train`` (DataError if it is none)."""
    try:
        model = keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras and h5py raise many kinds
        reason = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
        raise DataError(f"{path}: not a Keras model that can be loaded ({reason})") from None
    if tuple(model.output_shape[1:]) != (1,) or len(model.input_shape) != 4:
        raise DataError(
            f"{path}: expected a model from a picture to one probability, got "
            f"{model.input_shape} to {model.output_shape}"
        )
    return model


def deliverable(model: keras.Model, *, heatmap: bool = True) -> keras.Model:
    """The same network for one picture, with outputs ``scores`` [1, 2] and ``map`` [1, h, w, 1].

    ``scores`` are the probabilities of no-corrosion and corrosion. ``map``, with average pooling,
    holds local log-odds: a linear head commutes with the pooling, so their mean is the log-odds
    of the whole. The scores do not come from the map: its values reach far, and int8 would
    round them coarsely. Maximum pooling has no such map, and the model then has ``scores`` alone;
    so it has without ``heatmap``, for tools that expect one output.
    """
    height, width = model.input_shape[1:3]
    image = keras.Input(batch_shape=(1, height, width, 3), name="image")
    features = _backbone(model)(image, training=False)
    averaged = "avg_pool" in {layer.name for layer in model.layers}
    kind = "Average" if averaged else "Max"
    pooled = getattr(keras.layers, f"Global{kind}Pooling2D")(name="pooled")(features)
    outputs = {"scores": _scores(model, pooled)}
    if averaged and heatmap:
        outputs["map"] = _map(model, features)
    return keras.Model(image, outputs, name="deliverable")


def _scores(model: keras.Model, pooled: keras.KerasTensor) -> keras.KerasTensor:
    """softmax([-z/2, z/2]) = [1 - sigmoid(z), sigmoid(z)] for log-odds z."""
    kernel, bias = model.get_layer("corrosion").get_weights()
    unit = keras.layers.Dense(2, name="log_odds")
    both = unit(pooled)
    # tflite-runtime 2.14 crashes on Arm in a layer without bias, and the converter drops a zero
    # one; this much becomes the integer 0.
    half = bias[0] / 2 or 1e-12
    unit.set_weights([np.hstack([-kernel / 2, kernel / 2]), np.array([-half, half], np.float32)])
    return keras.layers.Softmax(name="scores")(both)


def _map(model: keras.Model, features: keras.KerasTensor) -> keras.KerasTensor:
    kernel, bias = model.get_layer("corrosion").get_weights()
    head = keras.layers.Conv2D(1, 1, name="map")
    local = head(features)
    head.set_weights([kernel[None, None], bias])
    return local


def _backbone(model: keras.Model) -> keras.Model:
    return next(layer for layer in model.layers if isinstance(layer, keras.Model))
