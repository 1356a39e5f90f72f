"""Carries a recipe out, stage by stage: what is frozen is computed once, the rest is trained."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from corrosion_edge.progress import say
from corrosion_edge.trainer import descent
from corrosion_edge.trainer.cut import above, cut
from corrosion_edge.trainer.head import Labelled, fit_head
from corrosion_edge.trainer.model import Parts, assemble, set_head
from corrosion_edge.trainer.recipe import DescentStage, HeadStage, Recipe
from corrosion_edge.trainer.samples import Samples
from corrosion_edge.trainer.store import Store
from corrosion_edge.trainer.supply import Source, Supply
from corrosion_edge.trainer.views import Augmentation, Views
from corrosion_edge.trainer.work import STATES

__all__ = ["Fitted", "Task", "divide", "fit", "start"]

Targets = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """What a recipe works on.

    ``parts`` is the network to start from; ``work`` the folder of states and stored views, in
    which a killed run finds what it had done. ``targets`` float32 [n] in [0, 1] are what the
    training photos are to score; None takes their labels. ``sources`` are the training photos in
    the recipe's source size; None where that is the image size. ``listen`` is called with each
    row of the history as it comes.
    """

    recipe: Recipe
    parts: Parts
    train: Samples
    validation: Samples
    seed: int
    work: Path
    store: Store
    targets: Targets | None = None
    sources: Samples | None = None
    listen: Callable[[dict[str, float]], None] = lambda row: None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """What a recipe gives: the model, a row for each step, what was chosen on the way.

    Each row of ``history`` has ``stage`` (its number from 1), ``epoch`` or ``strength``, and
    loss, accuracy and AUC on both sets. ``chosen`` holds plain values.
    """

    model: keras.Model
    history: list[dict[str, float]]
    chosen: dict[str, Any] = field(default_factory=dict)


def fit(task: Task) -> Fitted:
    """Go through the recipe's stages; each starts from where the last one left the network."""
    history: list[dict[str, float]] = []
    chosen: dict[str, Any] = {}
    for number, stage in enumerate(task.recipe.stages, start=1):
        if isinstance(stage, HeadStage):
            rows = _head(task, stage, number, chosen)
        else:
            first = sum("epoch" in row for row in history)
            rows = _descent(task, stage, number, first)
        history += [{"stage": float(number), **row} for row in rows]
    return Fitted(model=task.parts.model, history=history, chosen=chosen)


def start(recipe: Recipe, backbone: keras.Model) -> Parts:
    """The network that a recipe starts from."""
    return assemble(backbone, recipe.pooling, batch_norm_learns=recipe.batch_norm == "learns")


def _head(
    task: Task, stage: HeadStage, number: int, chosen: dict[str, Any]
) -> list[dict[str, float]]:
    plain = Augmentation()
    train = [_features(task, task.train, plain, 0, "Features of the training photos")]
    held_out = _features(task, task.validation, plain, 0, "Features of the validation photos")
    sources = task.sources or task.train
    train += [
        _features(task, sources, stage.augmentation, view, "Features of view")
        for view in range(stage.views)
    ]
    labels = np.tile(task.train.labels, len(train))
    head, rows = fit_head(
        Labelled(np.concatenate(train), labels),
        Labelled(held_out, task.validation.labels),
        stage.strengths,
    )
    set_head(task.parts.model, head.weights, head.bias)
    chosen[f"stage {number} strength"] = head.strength
    for row in rows:
        task.listen({"stage": float(number), **row})
    return rows


def _features(
    task: Task, samples: Samples, augmentation: Augmentation, number: int, label: str
) -> npt.NDArray[np.float64]:
    views = Views(augmentation, task.seed, _size(task, samples))
    supply = Supply(task.store, task.parts.features, Source(samples, views), label=label)
    return np.asarray(supply(number), np.float64)


def _descent(task: Task, stage: DescentStage, number: int, first: int) -> list[dict[str, float]]:
    parts, recipe = task.parts, task.recipe
    below, network = divide(parts, stage, learns=recipe.batch_norm == "learns")
    sources = task.sources or task.train
    views = Views(stage.augmentation, _seed(task.seed, number), _size(task, sources))
    seen, held_out = Source(sources, views), Source(task.validation, Views(Augmentation(), 0))
    supply = Supply(task.store, below, seen, stage.views, f"Stage {number}, view")
    plain = Supply(task.store, below, held_out, label="Validation photos, view")
    targets = task.targets if task.targets is not None else task.train.labels.astype(np.float32)
    path = task.work / f"{STATES}{number}.npz"
    return descent.Descender(network, stage.plan, len(targets)).run(
        supply,
        targets,
        seed=_seed(task.seed, number),
        validation=(plain(0), task.validation.labels.astype(np.float32)),
        state=descent.load_state(path) if path.exists() else None,
        on_epoch=_keeper(task, path, number, first + stage.plan.epochs),
        first=first,
    )


def _keeper(task: Task, path: Path, number: int, epochs: int) -> descent.OnEpoch:
    """Saves the state after each epoch, passes its row on and shows it on a terminal."""

    def keep(row: dict[str, float], state: Callable[[], descent.State]) -> None:
        descent.save_state(path, state())
        task.listen({"stage": float(number), **row})
        values = "  ".join(f"{k} {v:.4f}" for k, v in row.items() if k != "epoch")
        say(f"epoch {row['epoch']:.0f}/{epochs}  {values}")

    return keep


def divide(parts: Parts, stage: DescentStage, *, learns: bool) -> tuple[keras.Model, keras.Model]:
    """What is frozen, from pixels up, and what is trained above it.

    Sets which of the backbone's layers learn. ``learns`` lets batch normalisation learn too, for
    a stage that trains from the pixels on.
    """
    layers = parts.backbone.layers
    first = len(layers) - round(stage.top * len(layers))
    for place, layer in enumerate(layers):
        layer.trainable = place >= first
    if not stage.top:
        return parts.features, above(parts, None)
    divided = cut(parts, first)
    return divided.prefix, parts.learner if learns else above(parts, divided)


def _size(task: Task, samples: Samples) -> int:
    """The size that views are to have, 0 where the photos have it."""
    size = task.recipe.image_size
    return 0 if samples.pixels.shape[1:3] == (size, size) else size


def _seed(seed: int, number: int) -> int:
    """Another seed for each stage."""
    return int(np.random.SeedSequence((seed, number)).generate_state(1)[0] >> 1)
