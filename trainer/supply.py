"""What training is fed with: stored maps of augmented views, each computed once."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from corrosion_edge.progress import progress
from corrosion_edge.trainer.samples import Samples
from corrosion_edge.trainer.store import Store, key_of
from corrosion_edge.trainer.views import BATCH, Views

__all__ = ["Supply", "weights_hash"]


@dataclass(frozen=True, slots=True, eq=False)
class Supply:
    """Gives what ``network`` makes of view 0, 1, 2, ... of all photos, from the disk if it can.

    ``network`` takes pixels [n, h, w, 3], 0..255; it runs in inference mode. ``count`` views of
    each photo come in turn, 0 means a new one each time. The key of what is stored covers the
    network's weights, the photos' pixels, the augmentation and its seed.
    """

    store: Store
    network: keras.Model
    samples: Samples
    views: Views
    count: int = 0
    label: str = "Views"
    _known: dict[str, Any] = field(default_factory=dict, repr=False)

    def __call__(self, epoch: int) -> npt.NDArray[np.float32]:
        """The maps [n, ...] of the view that epoch 0, 1, 2, ... sees."""
        number = epoch % self.count if self.count else epoch
        shape = (len(self.samples), *self.network.output_shape[1:])
        key = key_of({**self._description(), "number": number})
        return self.store.obtain(key, shape, lambda: self._make(number))

    def _make(self, number: int) -> Iterator[npt.NDArray[np.float32]]:
        run = tf.function(lambda pixels: self.network(pixels, training=False))
        batches = self.views.make(self.samples.pixels, self.samples.labels, number)
        length = -(-len(self.samples) // BATCH)
        for batch in progress(batches, f"{self.label} {number + 1}", length=length):
            yield np.asarray(run(tf.constant(batch)))

    def _description(self) -> Mapping[str, Any]:
        if not self._known:
            self._known.update(
                network=weights_hash(self.network),
                photos=hashlib.sha256(self.samples.pixels.tobytes()).hexdigest(),
                labels=hashlib.sha256(self.samples.labels.tobytes()).hexdigest(),
                augmentation=self.views.augmentation.to_dict(),
                seed=self.views.seed,
                size=self.views.size,
            )
        return self._known


def weights_hash(network: keras.Model) -> str:
    """SHA-256 over a network's layers, shapes and weights, in their order."""
    total = hashlib.sha256()
    for layer in network.layers:
        total.update(f"{layer.name}\t{type(layer).__name__}\n".encode())
    for variable in network.weights:
        total.update(f"{variable.path}\t{variable.shape}\n".encode())
        total.update(variable.numpy().tobytes())
    return total.hexdigest()
