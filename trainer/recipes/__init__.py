"""Recipes: each turns a backbone and decoded photos into a trained model.

A recipe is a module with a function ``fit(task) -> Fitted`` and a docstring that states its
command, its cost and its expected result.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import keras

from corrosion_edge.errors import UsageError
from corrosion_edge.trainer.samples import Samples

__all__ = ["RECIPES", "Fitted", "Options", "Task", "fit"]

RECIPES: Final = ("fast", "paper", "scratch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a user may choose; None means the recipe's own default.

    ``fine_tune`` is the fraction, in (0, 1], of the backbone's layers, from the top, that the
    second part trains; ``epochs`` are those of the parts.
    """

    pooling: str = "avg"
    fine_tune: float | None = None
    epochs: tuple[int, ...] | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        if self.pooling not in ("avg", "max"):
            raise UsageError(f"--pooling: expected avg or max, got {self.pooling!r}")
        if self.fine_tune is not None and not 0 < self.fine_tune <= 1:
            raise UsageError(f"--fine-tune: expected more than 0, at most 1, got {self.fine_tune}")
        if self.epochs is not None and (not self.epochs or min(self.epochs) < 0):
            raise UsageError(f"--epochs: expected whole numbers of 0 or more, got {self.epochs}")

    def refuse(self, recipe: str, *names: str) -> None:
        """UsageError for an option that was given though the recipe has no use for it."""
        for name in names:
            if getattr(self, name) is not None:
                option = "--" + name.replace("_", "-")
                raise UsageError(f"{option}: the recipe {recipe!r} has no use for it; leave it out")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """What a recipe works on."""

    backbone: keras.Model
    train: Samples
    validation: Samples
    options: Options


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """What a recipe gives: the model, a row for each step, what it chose.

    ``history`` rows share their keys; the first key is the x axis of the learning curves, and
    ``train_``/``validation_`` pairs are drawn together. ``settings`` holds plain values.
    """

    model: keras.Model
    history: list[dict[str, float]]
    settings: Mapping[str, Any] = field(default_factory=dict)


def fit(recipe: str, task: Task) -> Fitted:
    """Run a recipe by name."""
    module = importlib.import_module(f"corrosion_edge.trainer.recipes.{recipe}")
    fitted: Fitted = module.fit(task)
    return fitted
