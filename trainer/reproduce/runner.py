"""Training the rows of the paper's tables, with what they have in common computed once."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
import numpy.typing as npt

from corrosion_edge.closing import Closing
from corrosion_edge.trainer import backbones
from corrosion_edge.trainer.cut import Cut, above, cut
from corrosion_edge.trainer.descent import Descender, Descent
from corrosion_edge.trainer.model import assemble
from corrosion_edge.trainer.reproduce.maps import POOLINGS, Maps, View
from corrosion_edge.trainer.reproduce.pace import Kind, Pace, Pass
from corrosion_edge.trainer.reproduce.paper import FINE_TUNED, RATIOS, Method
from corrosion_edge.trainer.reproduce.rows import Figures, Outcome, Row, Setup
from corrosion_edge.trainer.store import Store
from corrosion_edge.trainer.views import Augmentation
from corrosion_edge.trainer.work import CACHE_BYTES

__all__ = ["SharedRunner"]

_SHARED_SEED: Final = 0  # of the views that all seeds share

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class _Stage:
    """A part of a training: epochs ``first`` and on, what is trained, and what it is fed with."""

    descender: Descender
    first: int
    train: Callable[[int], Array]
    held_out: Callable[[str], Array]


class SharedRunner(Closing):
    """Trains rows on stored features and maps; see ``rows.Runner``.

    Each view of the photos goes through the frozen part of a backbone once, for both poolings,
    all fractions and, unless ``setup.views`` is "independent", all seeds. Of what rows share, the
    first row that needs it bears the time, in equal parts for its seeds.
    """

    def __init__(self, setup: Setup) -> None:
        if setup.method.optimizer != "adam":
            raise ValueError(f"optimizer: expected adam, got {setup.method.optimizer!r}")
        self.setup = setup
        self._pace = Pace(setup)
        self._loaded: _Loaded | None = None
        self._shared: dict[str, float] = {}

    def close(self) -> None:
        """Let go of the networks; what is stored stays for the next command."""
        self._loaded = None

    @property
    def passes(self) -> tuple[float, ...]:
        """Seconds of each computation that rows of the backbone in memory share."""
        return tuple(self._loaded.maps.passes) if self._loaded is not None else ()

    def predict(self, row: Row, seeds: tuple[int, ...]) -> float:
        """Seconds, from short measurements of this backbone with random weights.

        Views that are stored, or that the prediction of another row has counted, cost nothing.
        """
        passes = self._passes(row, seeds)
        if (loaded := self._loaded) is not None and loaded.name == row.backbone:
            passes = [p for p in passes if not loaded.has(row, *p)]
        return self._pace.seconds(row, len(seeds), passes)

    def run(self, row: Row, seed: int) -> Outcome:
        """Train one row with one seed (WeightsError if the backbone's weights cannot be had)."""
        started = time.monotonic()
        loaded = self._load(row.backbone)
        before = len(loaded.maps.passes)
        loaded.restart(row.pooling, seed)
        labels = {name: samples.labels for name, samples in self.setup.splits.samples.items()}
        targets, held_out = (labels[n].astype(np.float32) for n in ("train", "validation"))
        history: list[dict[str, float]] = []
        for stage in loaded.stages(row, self._view_seed(seed)):
            history += stage.descender.run(
                stage.train, targets, seed=seed, first=stage.first,
                validation=(stage.held_out("validation"), held_out),
            )  # fmt: skip
        scores = {
            name: stage.descender.scores(stage.held_out(name)).astype(np.float64)
            for name in ("validation", "test")
        }
        figures = {name: Figures.of(labels[name], scores[name]) for name in scores}
        shared = sum(loaded.maps.passes[before:])
        own = time.monotonic() - started - shared
        return Outcome(
            row=row,
            seed=seed,
            views=self.setup.views,
            test=figures["test"],
            validation=figures["validation"],
            history=tuple(history),
            scores=tuple(scores["test"].tolist()),
            labels=tuple(labels["test"].tolist()),
            seconds=own + self._part(row, shared),
            origin=loaded.origin,
        )

    def _load(self, name: str) -> "_Loaded":
        if self._loaded is None or self._loaded.name != name:
            self._loaded = None  # two large backbones need not be in memory at once
            self._loaded = _Loaded(name, self.setup)
        return self._loaded

    def _passes(self, row: Row, seeds: tuple[int, ...]) -> list[Pass]:
        """All that a row's seeds see, and whether features or a map of it."""
        view_seeds = dict.fromkeys(map(self._view_seed, seeds))
        views = [(split, 0, 0) for split in ("validation", "test")]
        if row.fine_tune is None:
            epochs = self.setup.method.frozen_epochs
            views += [("train", seed, n) for seed in view_seeds for n in range(epochs)]
            return [(view, "features") for view in views]
        head, top = self.setup.method.fine_tune_epochs
        first = [("train", seed, n) for seed in view_seeds for n in range(head)]
        then = [("train", seed, head + n) for seed in view_seeds for n in range(top)]
        what: Kind = "features" if _kept(self.setup, row.backbone) else "map"
        both: list[Pass] = [(view, "features") for view in views + first]
        return both + [(view, what) for view in then]

    def _view_seed(self, seed: int) -> int:
        return _SHARED_SEED if self.setup.views == "shared" else seed

    def _part(self, row: Row, seconds: float) -> float:
        """A seed's part of the seconds that the row's seeds share."""
        if self.setup.views == "independent":
            return seconds
        self._shared[row.key] = self._shared.get(row.key, 0.0) + seconds
        return self._shared[row.key] / len(self.setup.seeds)


class _Loaded:
    """A backbone in memory, and what was built around it."""

    def __init__(self, name: str, setup: Setup) -> None:
        method: Method = setup.method
        self.name, self.method, self.setup = name, method, setup
        self.backbone, self.origin = backbones.build(name, method.image_size, setup.weights[name])
        self.maps = Maps(
            Store(setup.scratch, CACHE_BYTES),
            self.backbone,
            setup.splits.samples,
            Augmentation.from_dict(method.augmentation),
        )
        self._parts = {pooling: assemble(self.backbone, pooling) for pooling in POOLINGS}
        for parts in self._parts.values():
            parts.model.get_layer("dropout").rate = method.dropout
        self._start = self.backbone.get_weights()
        self._deepest = cut(self.backbone, self._first(max(RATIOS))).at
        self._photos = len(setup.splits.samples["train"])
        self._descenders: dict[tuple[Any, ...], Descender] = {}

    def has(self, row: Row, view: View, what: Kind) -> bool:
        """Whether a pass was made."""
        if what == "features" or row.fine_tune is None:
            return self.maps.has(view, row.pooling)
        return self.maps.has(view, cut(self.backbone, self._first(row.fine_tune)).at)

    def restart(self, pooling: str, seed: int) -> None:
        """The weights at the start of a training: of the backbone as given, of the unit random."""
        self.backbone.set_weights(self._start)
        unit = self._parts[pooling].model.get_layer("corrosion")
        kernel = keras.initializers.GlorotUniform(seed)(unit.kernel.shape)
        unit.set_weights([np.asarray(kernel), np.zeros(1)])

    def stages(self, row: Row, view_seed: int) -> list[_Stage]:
        """The stages of a row, on the views of a seed."""
        head, top = self.method.fine_tune_epochs
        if row.fine_tune is None:
            return [self._head(row, view_seed, self.method.frozen_epochs)]
        return [self._head(row, view_seed, head), self._top(row, row.fine_tune, view_seed, top)]

    def _head(self, row: Row, view_seed: int, epochs: int) -> _Stage:
        descender = self._descender(row.pooling, None, Descent(
            epochs=epochs, rate=self.method.rates[0], batch=self.method.batch))  # fmt: skip
        return _Stage(
            descender,
            0,
            lambda epoch: self._features(("train", view_seed, epoch), row.pooling),
            lambda split: self._features((split, 0, 0), row.pooling),
        )

    def _features(self, view: View, pooling: str) -> Array:
        """Pooled features; where Tables 3 to 5 will want this view's map, it is kept as well."""
        head, top = self.method.fine_tune_epochs
        wanted = view[0] != "train" or head <= view[2] < head + top
        keep = self._deepest if wanted and _kept(self.setup, self.name) else None
        return self.maps.features(view, pooling, keep)

    def _top(self, row: Row, fraction: float, view_seed: int, epochs: int) -> _Stage:
        first = self._first(fraction)
        for place, layer in enumerate(self.backbone.layers):
            layer.trainable = place >= first
        divided = cut(self.backbone, first)
        plan = Descent(epochs=epochs, rate=self.method.rates[1], batch=self.method.batch)
        return _Stage(
            self._descender(row.pooling, divided, plan),
            self.method.fine_tune_epochs[0],
            lambda epoch: self.maps.maps(("train", view_seed, epoch), divided.at, self._deepest),
            lambda split: self.maps.maps((split, 0, 0), divided.at, self._deepest),
        )

    def _descender(self, pooling: str, divided: Cut | None, plan: Descent) -> Descender:
        """One for all seeds, so that its step is compiled once."""
        layers = sum(layer.trainable for layer in self.backbone.layers) if divided else 0
        key = (pooling, layers, plan)
        if key not in self._descenders:
            network = above(self._parts[pooling], divided)
            self._descenders[key] = Descender(network, plan, self._photos)
        return self._descenders[key]

    def _first(self, fraction: float) -> int:
        return len(self.backbone.layers) - round(fraction * len(self.backbone.layers))


def _kept(setup: Setup, backbone: str) -> bool:
    """Whether maps are kept in the pass that computes features: fine-tuned rows will want them.

    Those of the paper's Tables 3 to 5 even if this command does not ask for them: a later one may.
    """
    return backbone in setup.thawed or backbone in FINE_TUNED.values()
