"""Gradient descent with Keras, shared by the recipes that need it."""

from typing import Any, Final

import keras

from corrosion_edge.progress import say
from corrosion_edge.trainer.model import Parts
from corrosion_edge.trainer.recipes import Task

__all__ = ["BATCH", "compile_and_train"]

BATCH: Final = 32
"""The paper's batch size."""


def compile_and_train(
    parts: Parts,
    task: Task,
    views: keras.Model,
    *,
    epochs: int,
    rate: float | keras.optimizers.schedules.LearningRateSchedule,
    first: int = 0,
) -> list[dict[str, float]]:
    """Train what is trainable with Adam on augmented views; a history row for each epoch.

    ``views`` augments [n, h, w, 3], 0..255. ``first`` is the number of epochs already done.
    """
    image = keras.Input(parts.model.input_shape[1:])
    learner = keras.Model(image, parts.learner(views(image)))
    learner.compile(
        keras.optimizers.Adam(rate),
        loss=keras.losses.BinaryCrossentropy(),
        metrics=[keras.metrics.BinaryAccuracy(name="accuracy"), keras.metrics.AUC(name="auc")],
    )
    history = learner.fit(
        task.train.pixels,
        task.train.labels[:, None],
        validation_data=(task.validation.pixels, task.validation.labels[:, None]),
        batch_size=BATCH,
        initial_epoch=first,
        epochs=first + epochs,
        verbose=0,
        callbacks=[_Progress(first + epochs)],
    )
    return _rows(history.epoch, history.history)


class _Progress(keras.callbacks.Callback):
    """A line for each epoch on a terminal, silence elsewhere."""

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self._epochs = epochs

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        values = "  ".join(f"{name} {value:.4f}" for name, value in (logs or {}).items())
        say(f"epoch {epoch + 1}/{self._epochs}  {values}")


def _rows(epochs: list[int], history: dict[str, list[Any]]) -> list[dict[str, float]]:
    names = {"loss": "train_loss", "accuracy": "train_accuracy", "auc": "train_auc"}
    names |= {f"val_{k}": v.replace("train", "validation") for k, v in list(names.items())}
    return [
        {"epoch": float(epoch + 1)}
        | {ours: float(history[theirs][i]) for theirs, ours in names.items()}
        for i, epoch in enumerate(epochs)
    ]
