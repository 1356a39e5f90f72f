"""A recipe is data: which network, trained in which stages, with which views of the photos.

The recipes that ship are the TOML files in ``trainer/recipes``; a user's own file has the same
form. Their header says for each what it costs and what to expect.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from corrosion_edge.errors import UsageError
from corrosion_edge.trainer.plan import Descent
from corrosion_edge.trainer.views import Augmentation

__all__ = ["Confide", "DescentStage", "HeadStage", "Recipe", "Stage", "require"]

_POOLS = ("avg", "max")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadStage:
    """A logistic head with an L2 penalty on the frozen network's pooled features.

    ``views`` augmented views of each training photo are taken beside the photo itself.
    ``strengths`` are the inverse strengths of the penalty (scikit-learn's C) that are tried; the
    one with the least log loss on validation is kept.
    """

    strengths: tuple[float, ...]
    views: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        require("views", 0 <= self.views <= 1000, "0 to 1000", self.views)
        good = bool(self.strengths) and min(self.strengths) > 0
        require("strengths", good, "numbers above 0", list(self.strengths))


@dataclass(frozen=True, slots=True, kw_only=True)
class DescentStage:
    """Gradient descent by ``plan`` on augmented views.

    ``top`` is the fraction in [0, 1] of the backbone's layers, from the top, that learn beside
    the head. ``views`` is how many views of each photo are made and used in turn; 0 makes new
    ones for every epoch.
    """

    plan: Descent
    top: float = 0.0
    views: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        require("top", 0 <= self.top <= 1, "0 to 1", self.top)
        require("views", 0 <= self.views <= 1000, "0 to 1000", self.views)


Stage = HeadStage | DescentStage


@dataclass(frozen=True, slots=True, kw_only=True)
class Confide:
    """How the finished model's probabilities are made to mean something, on validation.

    ``temperature`` scales the log-odds; ``recall`` is what the threshold beside 0.5 aims at, and
    ``alpha`` the share of either class that may fall on the wrong side of the unsure band.
    """

    temperature: bool = True
    recall: float = 0.98
    alpha: float = 0.02

    def __post_init__(self) -> None:
        require("confidence.recall", 0 < self.recall < 1, "between 0 and 1", self.recall)
        require("confidence.alpha", 0 < self.alpha < 0.5, "between 0 and 0.5", self.alpha)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A whole recipe; ``text`` is the file it was read from, header included.

    ``choices`` are the options that changed it, as a user types them.

    ``source_size`` is the size, in pixels, in which training photos are kept, from which ``zoom``
    cuts its crops; 0 means ``image_size``. ``batch_norm`` is "frozen", or "learns" for training
    from random weights.
    """

    name: str
    stages: tuple[Stage, ...]
    backbone: str = "efficientnetv2-b0"
    pooling: str = "avg"
    image_size: int = 224
    source_size: int = 0
    batch_norm: str = "frozen"
    confidence: Confide = field(default_factory=Confide)
    text: str = field(default="", repr=False, compare=False)
    choices: tuple[str, ...] = field(default=(), repr=False, compare=False)

    def __post_init__(self) -> None:
        require("stage", bool(self.stages), "at least one stage", "none")
        require("pooling", self.pooling in _POOLS, " or ".join(_POOLS), self.pooling)
        size = self.image_size
        good = isinstance(size, int) and 32 <= size <= 1024
        require("image_size", good, "32 to 1024 pixels", size)
        good = self.source_size == 0 or size <= self.source_size <= 2048
        require("source_size", good, f"0, or {size} to 2048 pixels", self.source_size)
        good = self.batch_norm in ("frozen", "learns")
        require("batch_norm", good, "frozen or learns", self.batch_norm)

    def changed(
        self,
        *,
        backbone: str | None = None,
        pooling: str | None = None,
        image_size: int | None = None,
        epochs: tuple[int, ...] | None = None,
        fine_tune: float | None = None,
    ) -> "Recipe":
        """The recipe with a user's own choices; None keeps its own.

        Raises UsageError for ``epochs`` or ``fine_tune`` where no stage has a use for it.
        """
        given = {"backbone": backbone, "pooling": pooling, "image_size": image_size}
        chosen: dict[str, Any] = {k: v for k, v in given.items() if v is not None}
        more = {"epochs": epochs and ",".join(map(str, epochs)), "fine-tune": fine_tune}
        words = [f"--{k.replace('_', '-')} {v}" for k, v in (given | more).items() if v is not None]
        recipe = replace(self, **chosen, choices=(*self.choices, *words))
        if epochs is not None:
            recipe = replace(recipe, stages=_with_epochs(recipe, epochs))
        if fine_tune is not None:
            recipe = replace(recipe, stages=_with_top(recipe, fine_tune))
        return recipe


def _with_epochs(recipe: Recipe, epochs: tuple[int, ...]) -> tuple[Stage, ...]:
    stages: list[Stage] = []
    left = list(epochs)
    for stage in recipe.stages:
        if isinstance(stage, DescentStage):
            chosen = left.pop(0) if left else 0
            stages.append(replace(stage, plan=replace(stage.plan, epochs=chosen)))
        else:
            stages.append(stage)
    if left or not epochs:
        raise UsageError(f"--epochs: the recipe {recipe.name!r} has no use for {epochs}")
    return tuple(stages)


def _with_top(recipe: Recipe, fine_tune: float) -> tuple[Stage, ...]:
    if not 0 < fine_tune <= 1:
        raise UsageError(f"--fine-tune: expected more than 0, at most 1, got {fine_tune}")
    stages = [
        replace(s, top=fine_tune) if isinstance(s, DescentStage) and 0 < s.top < 1 else s
        for s in recipe.stages
    ]
    if not any(isinstance(s, DescentStage) and s.top > 0 for s in stages):
        raise UsageError(f"--fine-tune: the recipe {recipe.name!r} has no use for it; leave it out")
    return tuple(stages)


def require(name: str, good: bool, expected: str, got: object) -> None:
    """ValueError that names a value, what was expected and what was got, unless ``good``."""
    if not good:
        raise ValueError(f"{name}: expected {expected}, got {got!r}")
