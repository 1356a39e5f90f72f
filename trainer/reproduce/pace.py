"""How long rows will take on this machine, from short measurements with random weights."""

import time
from collections.abc import Callable, Iterable
from typing import Any, Final, Literal

import keras
import numpy as np
import tensorflow as tf

from corrosion_edge.trainer import backbones
from corrosion_edge.trainer.cut import cut
from corrosion_edge.trainer.descent import Descender, Descent
from corrosion_edge.trainer.reproduce.maps import View
from corrosion_edge.trainer.reproduce.rows import Row, Setup
from corrosion_edge.trainer.views import BATCH, Augmentation, Views

__all__ = ["BACKWARD", "Kind", "Pace", "Pass"]

BACKWARD: Final = 4.0
"""A training step in forward passes; 3.4 to 4.1 were measured above EfficientNetV2B0's cuts."""

Kind = Literal["features", "map"]
Pass = tuple[View, Kind]
"""A view that goes through the backbone, and what of it is wanted."""

_HEAD: Final = (640, 1280)  # photos and features with which the unit's training is timed


class Pace:
    """Predicts the seconds of rows; each thing is measured when it is first asked for."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self._seconds: dict[object, float] = {}
        self._counted: dict[tuple[str, Pass], str] = {}
        self._network: keras.Model | None = None

    def seconds(self, row: Row, seeds: int, passes: Iterable[Pass]) -> float:
        """Seconds for training a row with so many seeds, and for ``passes`` before.

        A pass that was counted for another row is not counted again.
        """
        first = ((p, self._counted.setdefault((row.backbone, p), row.key)) for p in passes)
        new = [view for (view, _), key in first if key == row.key]
        return sum(self._pass(row.backbone, split) for split, _, _ in new) + seeds * self._run(row)

    def _pass(self, backbone: str, split: str) -> float:
        """One pass of a split's photos through the whole backbone."""
        photo = self._known((backbone, 1.0), lambda: self._forward(backbone, 1.0))
        if split == "train":
            photo += self._known("augmentation", self._augmentation)
        return len(self.setup.splits.samples[split]) * photo

    def _run(self, row: Row) -> float:
        """Training alone."""
        method, samples = self.setup.method, self.setup.splits.samples
        n, held_out = len(samples["train"]), len(samples["validation"])
        head = self._known("head", _head)
        if row.fine_tune is None:
            return method.frozen_epochs * n * head
        backbone, fraction = row.backbone, row.fine_tune
        photo = self._known((backbone, fraction), lambda: self._forward(backbone, fraction))
        first, then = method.fine_tune_epochs
        return first * n * head + then * (BACKWARD * n + held_out) * photo

    def _known(self, key: object, measure: Callable[[], float]) -> float:
        if key not in self._seconds:
            self._seconds[key] = measure()
        return self._seconds[key]

    def _forward(self, backbone: str, fraction: float) -> float:
        """Seconds a photo through the top ``fraction`` of the layers."""
        if self._network is None or self._network.name != backbone:
            size = self.setup.method.image_size
            self._network = backbones.build(backbone, size, "none")[0]
            self._network.name = backbone
        layers = len(self._network.layers)
        part = cut(self._network, layers - round(fraction * layers)).suffix
        x = tf.zeros((BATCH, *part.input_shape[1:]))
        run = tf.function(lambda maps: part(maps, training=False))
        return _timed(lambda: run(x)) / BATCH

    def _augmentation(self) -> float:
        samples = self.setup.splits.samples["train"]
        views = Views(Augmentation.from_dict(self.setup.method.augmentation), 0)
        pixels, labels = samples.pixels[:BATCH], samples.labels[:BATCH]
        return _timed(lambda: list(views.make(pixels, labels, 0))) / len(labels)


def _head() -> float:
    """Seconds a photo for an epoch of the unit."""
    n, channels = _HEAD
    unit = keras.Sequential(
        [
            keras.Input((channels,)),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    features, targets = np.zeros((n, channels), np.float32), np.arange(n) % 2
    descender = Descender(unit, Descent(epochs=2, rate=0.0), n)
    ends: list[float] = []
    descender.run(
        lambda epoch: features,
        targets.astype(np.float32),
        seed=0,
        on_epoch=lambda row, state: ends.append(time.monotonic()),
    )
    return (ends[1] - ends[0]) / n


def _timed(work: Callable[[], Any]) -> float:
    """Seconds of the faster of two runs, after one that compiles."""
    work()
    times = []
    for _ in range(2):
        started = time.monotonic()
        work()
        times.append(time.monotonic() - started)
    return min(times)
