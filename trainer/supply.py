"""What frozen networks make of views of photos: computed once, kept on disk, fed to training."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from corrosion_edge.progress import progress
from corrosion_edge.trainer.samples import Samples
from corrosion_edge.trainer.store import Store, key_of
from corrosion_edge.trainer.views import BATCH, Views

__all__ = ["Run", "Source", "Supply", "compiled", "fill", "weights_hash"]

Array = npt.NDArray[np.float32]
Run = Callable[[Any], list[Array]]


class Source:
    """Photos and how they are changed: view 0, 1, 2, ... of all of them."""

    def __init__(self, samples: Samples, views: Views) -> None:
        self.samples, self.views = samples, views

    def __len__(self) -> int:
        return len(self.samples)

    @cached_property
    def described(self) -> Mapping[str, Any]:
        """Plain values that change whenever a view would, its number aside."""
        return {
            "photos": hashlib.sha256(_bytes_of(self.samples.pixels)).hexdigest(),
            "labels": hashlib.sha256(_bytes_of(self.samples.labels)).hexdigest(),
            "augmentation": self.views.augmentation.to_dict(),
            "seed": self.views.seed,
            "size": self.views.size,
            "versions": [tf.__version__, keras.__version__],
        }

    def key(self, network: str, number: int, what: str | int) -> str:
        """The key, in a store, of ``what`` the network of a hash makes of view ``number``."""
        return key_of({**self.described, "network": network, "number": number, "what": what})

    def batches(self, number: int, label: str) -> Iterator[Array]:
        """View ``number`` in batches, float32 [m, h, w, 3], 0..255; shows how far it is."""
        made = self.views.make(self.samples.pixels, self.samples.labels, number)
        return progress(made, label, length=-(-len(self) // BATCH))


class Supply:
    """Gives what ``network`` makes of view 0, 1, 2, ... of a source, from the disk if it can.

    ``network`` takes pixels [n, h, w, 3], 0..255; it runs in inference mode, and its weights must
    not change. ``count`` views of each photo come in turn, 0 means a new one each time.
    """

    def __init__(
        self,
        store: Store,
        network: keras.Model,
        source: Source,
        count: int = 0,
        label: str = "View",
    ) -> None:
        self._store, self._source = store, source
        self._count, self._label = count, label
        self._shape = (len(source), *network.output_shape[1:])
        self._hash = weights_hash(network)
        self._run = compiled(network)

    def __call__(self, epoch: int) -> Array:
        """The maps [n, ...] of the view that epoch 0, 1, 2, ... sees."""
        number = epoch % self._count if self._count else epoch
        label = f"{self._label} {number + 1}"
        return self._store.obtain(
            self._source.key(self._hash, number, "output"),
            self._shape,
            lambda: (self._run(batch)[0] for batch in self._source.batches(number, label)),
        )


def fill(
    store: Store,
    wanted: Sequence[tuple[str, tuple[int, ...]]],
    run: Run,
    batches: Iterable[Array],
) -> None:
    """Store all outputs of ``run`` over some batches, under key and shape [n, ...] of each."""
    with ExitStack() as stack:
        writers = [stack.enter_context(store.writer(key, shape)) for key, shape in wanted]
        for batch in batches:
            for writer, part in zip(writers, run(batch), strict=True):
                writer.write(part)


def compiled(network: keras.Model) -> Run:
    """A network's outputs, as a list, in inference mode; one graph for batches of any length."""
    spec = tf.TensorSpec((None, *network.input_shape[1:]), tf.float32)
    graph = tf.function(lambda x: keras.tree.flatten(network(x, training=False)), [spec])
    return lambda batch: [np.asarray(part) for part in graph(tf.constant(batch))]


def weights_hash(network: keras.Model) -> str:
    """SHA-256 over a network's layers, shapes and weights, in their order."""
    total = hashlib.sha256()
    for layer in network.layers:
        total.update(f"{layer.name}\t{type(layer).__name__}\n".encode())
    for variable in network.weights:
        total.update(f"{variable.path}\t{variable.shape}\n".encode())
        total.update(variable.numpy().tobytes())
    return total.hexdigest()


def _bytes_of(array: npt.NDArray[Any]) -> memoryview:
    """Those of ``tobytes``, not copied where that can be."""
    return np.ascontiguousarray(array).data.cast("B")
