"""What a frozen backbone makes of each view of the photos: computed once, kept on disk."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import keras
import numpy as np
import numpy.typing as npt

from corrosion_edge.trainer.cut import Place, between, places
from corrosion_edge.trainer.samples import Samples
from corrosion_edge.trainer.store import Store
from corrosion_edge.trainer.supply import Run, Source, compiled, fill, weights_hash
from corrosion_edge.trainer.views import BATCH, Augmentation, Views

__all__ = ["POOLINGS", "Maps"]

POOLINGS: Final = ("avg", "max")

Array = npt.NDArray[np.float32]
What = str | Place
View = tuple[str, int, int]


class Maps:
    """Pooled features and maps of one backbone, whose layers below the maps must not change.

    A view is (split, seed, number); photos of the training split are augmented, the others are
    taken as they are. ``passes`` has the seconds of each computation so far.
    """

    def __init__(
        self,
        store: Store,
        backbone: keras.Model,
        samples: Mapping[str, Samples],
        augmentation: Augmentation,
    ) -> None:
        self.store, self.samples = store, samples
        self.passes: list[float] = []
        self._backbone = backbone
        self._augmentation = augmentation
        self._end = places(backbone)[-1]
        self._weights = weights_hash(backbone)
        self._graphs: dict[object, Run] = {}
        self._sources: dict[tuple[str, int], Source] = {}

    def features(self, view: View, pooling: str, keep: Place | None = None) -> Array:
        """The pooled features of a view, float32 [n, c], by ``avg`` or ``max``.

        If they must be computed, so are those of the other pooling, and the map at ``keep``; the
        whole backbone must be as it was given.
        """
        kept = [] if keep is None else [keep]
        return self._obtained(view, pooling, [*POOLINGS, *kept])

    def maps(self, view: View, at: Place, deepest: Place) -> Array:
        """The map of a view at a place, float32 [n, h, w, c].

        It is computed from the map at ``deepest``, which is kept, if that lies below. What lies
        above the place may have been trained meanwhile.
        """
        if at.layer <= deepest.layer:
            return self._obtained(view, at, [at])
        if (found := self.store.get(self._key(view, at))) is not None:
            return found
        below = self.maps(view, deepest, deepest)
        run = self._compiled((deepest, at), lambda: between(self._backbone, deepest, at))
        started = time.monotonic()
        array = self.store.obtain(
            self._key(view, at),
            (len(below), *at.shape),
            lambda: (run(batch)[0] for batch in _batches(below)),
        )
        self.passes.append(time.monotonic() - started)
        return array

    def has(self, view: View, what: What) -> bool:
        """Whether this is stored."""
        return self.store.get(self._key(view, what)) is not None

    def _obtained(self, view: View, what: What, together: list[What]) -> Array:
        if (found := self.store.get(self._key(view, what))) is not None:
            return found
        started = time.monotonic()
        self._compute(view, together)
        self.passes.append(time.monotonic() - started)
        if (found := self.store.get(self._key(view, what))) is None:
            raise RuntimeError(f"{what} of {view} was computed and is not there")
        return found

    def _compute(self, view: View, together: list[What]) -> None:
        """One pass over a view, from the pixels."""
        split, _, number = view
        run = self._compiled(tuple(together), lambda: self._giving(together))
        n = len(self.samples[split])
        wanted = [(self._key(view, what), (n, *self._shape(what))) for what in together]
        label = "View" if split == "train" else f"The {split} photos, view"
        fill(self.store, wanted, run, self._source(view).batches(number, f"{label} {number + 1}"))

    def _source(self, view: View) -> Source:
        """The photos of a view's split, and how they are changed."""
        split, seed, _ = view
        if (split, seed) not in self._sources:
            a = self._augmentation if split == "train" else Augmentation()
            self._sources[split, seed] = Source(self.samples[split], Views(a, seed))
        return self._sources[split, seed]

    def _shape(self, what: What) -> tuple[int, ...]:
        return self._end.shape[-1:] if isinstance(what, str) else what.shape

    def _giving(self, together: list[What]) -> keras.Model:
        """Pixels to a list of pooled features and maps."""
        pools = keras.layers.GlobalAveragePooling2D, keras.layers.GlobalMaxPooling2D
        pooled = [pool()(self._backbone.output) for pool in pools]
        outputs: dict[What, Any] = dict(zip(POOLINGS, pooled, strict=True))
        layers = self._backbone.layers
        outputs |= {p: layers[p.layer].output for p in together if isinstance(p, Place)}
        return keras.Model(self._backbone.input, [outputs[what] for what in together])

    def _compiled(self, key: object, build: Callable[[], keras.Model]) -> Run:
        if key not in self._graphs:
            self._graphs[key] = compiled(build())
        return self._graphs[key]

    def _key(self, view: View, what: What) -> str:
        place = what if isinstance(what, str) else what.layer
        return self._source(view).key(self._weights, view[2], place)


def _batches(array: Array) -> Iterator[Array]:
    for start in range(0, len(array), BATCH):
        yield np.asarray(array[start : start + BATCH])
