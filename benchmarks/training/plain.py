"""The paper's method as a script in plain Keras: what the shared engine is compared with.

``Model.fit`` twice: with the backbone frozen, then with its top layers thawed. Photos come from
tf.data, shuffled, batched and prefetched; augmentation runs there too, in parallel. Batch
normalisation stays frozen, as Keras's guide to fine-tuning advises.
"""

import time
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from corrosion_edge.trainer import backbones
from corrosion_edge.trainer.reproduce.paper import Method
from corrosion_edge.trainer.samples import Samples

__all__ = ["Training", "train"]


@dataclass(frozen=True, slots=True)
class Training:
    """One training: seconds in all, seconds of each epoch by stage, validation loss at the end."""

    seconds: float
    epochs: tuple[tuple[float, ...], ...]
    loss: float


def train(
    train: Samples,
    validation: Samples,
    method: Method,
    *,
    backbone: str,
    weights: str,
    pooling: str,
    fine_tune: float | None,
    seed: int,
) -> Training:
    """Train one row of the paper's tables; ``fine_tune`` None is a row of Table 2."""
    started = time.monotonic()
    keras.utils.set_random_seed(seed)
    network, _ = backbones.build(backbone, method.image_size, weights)
    model = _model(network, pooling, method.dropout)
    data = _augmented(train, method, seed), _batches(validation, method)
    network.trainable = False
    if fine_tune is None:
        stages = [_fit(model, data, method.rates[0], method.frozen_epochs)]
    else:
        stages = [_fit(model, data, method.rates[0], method.fine_tune_epochs[0])]
        _thaw(network, fine_tune)
        stages.append(_fit(model, data, method.rates[1], method.fine_tune_epochs[1]))
    epochs = tuple(clock.seconds for clock in stages)
    return Training(time.monotonic() - started, epochs, stages[-1].loss)


class _Clock(keras.callbacks.Callback):
    """Notes how long each epoch takes, validation included, and the last validation loss."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: tuple[float, ...] = ()
        self.loss = float("nan")
        self._start = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._start = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.seconds += (time.monotonic() - self._start,)
        self.loss = (logs or {})["val_loss"]


def _model(network: keras.Model, pooling: str, dropout: float) -> keras.Model:
    pool = {"avg": keras.layers.GlobalAveragePooling2D, "max": keras.layers.GlobalMaxPooling2D}
    x = pool[pooling]()(network.output)
    x = keras.layers.Dropout(dropout)(x)
    return keras.Model(network.input, keras.layers.Dense(1, activation="sigmoid")(x))


def _fit(model: keras.Model, data: tuple[Any, Any], rate: float, epochs: int) -> _Clock:
    clock = _Clock()
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    model.fit(data[0], validation_data=data[1], epochs=epochs, verbose=0, callbacks=[clock])
    return clock


def _thaw(network: keras.Model, fraction: float) -> None:
    network.trainable = True
    first = len(network.layers) - round(fraction * len(network.layers))
    for place, layer in enumerate(network.layers):
        normalises = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = place >= first and not normalises


def _batches(samples: Samples, method: Method) -> Any:
    data = tf.data.Dataset.from_tensor_slices((samples.pixels, samples.labels))
    return data.batch(method.batch).prefetch(tf.data.AUTOTUNE)


def _augmented(samples: Samples, method: Method, seed: int) -> Any:
    a, layers = method.augmentation, keras.layers
    change = keras.Sequential(
        [
            layers.RandomFlip(a["flip"], seed=seed),
            layers.RandomRotation(a["rotation"], seed=seed),
            layers.RandomContrast(a["contrast"], seed=seed),
            layers.RandomBrightness(a["brightness"], seed=seed),
            layers.RandomTranslation(a["translation"], a["translation"], seed=seed),
        ]
    )
    data = tf.data.Dataset.from_tensor_slices((samples.pixels, samples.labels))
    data = data.shuffle(len(samples), seed=seed).batch(method.batch)
    data = data.map(lambda x, y: (change(x, training=True), y), tf.data.AUTOTUNE)
    return data.prefetch(tf.data.AUTOTUNE)
