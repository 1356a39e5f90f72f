"""Training a candidate on some of the site's photos, old ones replayed."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from corrosion_edge.trainer import engine
from corrosion_edge.trainer.descent import Descender
from corrosion_edge.trainer.model import set_head
from corrosion_edge.trainer.plan import Descent
from corrosion_edge.trainer.recipe import DescentStage, Stage
from corrosion_edge.trainer.samples import Samples
from corrosion_edge.trainer.site.head import pulled_head
from corrosion_edge.trainer.site.parent import Parent
from corrosion_edge.trainer.store import Store
from corrosion_edge.trainer.supply import Source, Supply
from corrosion_edge.trainer.views import Augmentation, Views

__all__ = ["Feed", "Learner"]

_BATCH: Final = 32
_NO_STEP: Final = Descent(epochs=0, rate=0.0)
Array = npt.NDArray[Any]
Places = npt.NDArray[np.int64]
Row = dict[str, float]
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Feed:
    """What all candidates learn from: the site's photos, and the old ones by split (or none)."""

    parent: Parent
    site: Samples
    old: Mapping[str, Samples]
    store: Store
    seed: int

    def replayed(self, number: int) -> Samples | None:
        """Old training photos for one view: as many as the site has, half of each class.

        Equal shares of new and old are the middle of what keeps the old without slowing the new
        (Rolnick et al. 2019, "Experience replay for continual learning").
        """
        if not self.old:
            return None
        train = self.old["train"]
        rng = np.random.default_rng((self.seed, number))
        half = -(-len(self.site) // 2)
        places = []
        for label in (1, 0):
            of_class = np.flatnonzero(train.labels == label)
            places.append(rng.choice(of_class, half, replace=len(of_class) < half))
        return _some(train, np.concatenate(places))


class Learner:
    """Trains one of a recipe's stages; what it trains is above where the network is cut."""

    def __init__(self, feed: Feed, stage: Stage, head: Stage | None = None) -> None:
        """``head`` is the head's stage that a descent goes on from, if there is one.

        A head that already fits moves the layers below it less out of their way (Kumar et al.
        2022, "Fine-tuning can distort pretrained features").
        """
        self._feed, self._stage = feed, stage
        self._head = Learner(feed, head) if head is not None else None
        top = stage if isinstance(stage, DescentStage) else DescentStage(plan=_NO_STEP)
        self._below, self._above = engine.divide(feed.parent.parts, top, learns=False)
        self.trained = sum(int(np.prod(v.shape)) for v in self._above.trainable_variables)
        """How many weights it trains."""
        self._descender: Descender | None = None

    def fit(self, places: Places, strength: float | None = None) -> list[Row]:
        """Train from the run's own weights on the site's photos at ``places``; a row a step.

        ``strength`` is which of a head's strengths to take: its own, or that of the head before.
        """
        if isinstance(self._stage, DescentStage):
            before = self._head.fit(places, strength) if self._head else self._restored()
            return before + self._fit_top(places, self._stage)
        if strength is None:
            raise ValueError("strength: expected one of the head's, got none")
        return self._restored() + self._fit_head(places, strength)

    def _restored(self) -> list[Row]:
        self._feed.parent.restore()
        return []

    def site_scores(self) -> Scores:
        """Probabilities of corrosion of all the site's photos, float64 [n], as it now stands."""
        return self._scores(self._site_maps)

    def old_scores(self) -> Scores:
        """Those of the old validation photos, [0] where there are none."""
        return self._scores(self._validation_maps) if self._feed.old else np.zeros(0)

    @cached_property
    def _site_maps(self) -> Array:
        return self._plain(self._feed.site, "Site photos")

    @cached_property
    def _train_maps(self) -> Array:
        return self._plain(self._feed.old["train"], "Old training photos")

    @cached_property
    def _validation_maps(self) -> Array:
        return self._plain(self._feed.old["validation"], "Old validation photos")

    def _plain(self, samples: Samples, label: str) -> Array:
        return self._maps(samples, Views(Augmentation(), 0), 0, label)

    def _maps(self, samples: Samples, views: Views, number: int, label: str) -> Array:
        return Supply(self._feed.store, self._below, Source(samples, views), label=label)(number)

    def _scores(self, maps: Array) -> Scores:
        scores = self._above.predict(maps, batch_size=_BATCH, verbose=0)
        return np.asarray(scores, np.float64)[:, 0]

    def _fit_head(self, places: Places, strength: float) -> list[Row]:
        model, site = self._feed.parent.parts.model, self._feed.site
        kernel, bias = model.get_layer("corrosion").get_weights()
        sets = [(self._site_maps[places], site.labels[places])]
        if self._feed.old:
            sets.append((self._train_maps, self._feed.old["train"].labels))
        start = kernel[:, 0].astype(np.float64), float(bias[0])
        weights, new_bias, loss = pulled_head(sets, start, strength)
        set_head(model, weights, new_bias)
        return [{"strength": strength, "train_loss": loss}]

    def _fit_top(self, places: Places, stage: DescentStage) -> list[Row]:
        """Each epoch sees as many photos of the site as there are, whichever are left out."""
        site = self._feed.site
        chosen = np.resize(places, len(site))
        replayed = self._feed.replayed(0)
        labels = [site.labels[chosen], *([replayed.labels] if replayed else [])]
        targets = np.concatenate(labels).astype(np.float32)

        def supply(epoch: int) -> Array:
            number = epoch % stage.views if stage.views else epoch
            maps = self._seen(stage, site, number)[chosen]
            old = self._feed.replayed(number)
            return np.concatenate([maps, self._seen(stage, old, number)]) if old else maps

        if self._descender is None:  # its compiled step is what takes long to make
            self._descender = Descender(self._above, stage.plan, len(targets))
        return self._descender.run(supply, targets, seed=self._feed.seed)

    def _seen(self, stage: DescentStage, samples: Samples, number: int) -> Array:
        views = Views(stage.augmentation, self._feed.seed)
        return self._maps(samples, views, number, "View")


def _some(samples: Samples, places: Places) -> Samples:
    photos = tuple(samples.photos[i] for i in places)
    return Samples(samples.pixels[places], samples.labels[places], photos)
