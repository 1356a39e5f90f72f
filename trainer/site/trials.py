"""Every candidate of a recipe, on every fold; then the chosen one on all that is learned from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from corrosion_edge.progress import say
from corrosion_edge.trainer.recipe import DescentStage, HeadStage, Recipe, Stage
from corrosion_edge.trainer.site.choice import Referee, Trial
from corrosion_edge.trainer.site.figures import Limits
from corrosion_edge.trainer.site.learner import Feed, Learner
from corrosion_edge.trainer.site.photos import FOLDS

__all__ = ["Contest", "contest"]

Folds = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contest:
    """What came of it; the network now is the chosen candidate's, trained on all it may see.

    ``unseen`` [k] are the chosen candidate's scores of the photos that were learned from, each by
    the model of the fold without it. ``honest`` [k] are the same but for the choice, which is
    made anew for each fold without it: these judge. ``before`` is what the run scored, as a
    candidate like the others. ``site`` [n] and ``old`` [m] are the final network's scores.
    """

    trials: tuple[Trial, ...]
    chosen: Trial
    before: Trial
    referee: Referee
    unseen: Scores
    honest: Scores
    site: Scores
    old: Scores
    history: list[dict[str, float]]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The figures of all candidates, what was started from first."""
        return [self.referee.row(trial) for trial in (self.before, *self.trials)]

    @property
    def gains(self) -> bool:
        """Whether the chosen candidate has less loss than the run it started from."""
        return self.referee.loss(self.chosen) < self.referee.loss(self.before)


def contest(
    feed: Feed,
    recipe: Recipe,
    folds: Folds,
    limits: Limits,
    threshold: float,
    before: tuple[Scores, Scores],
) -> Contest:
    """Try the candidates and train the best.

    ``folds`` [n] are those of the site's photos, -1 for those not to learn from. ``before`` are
    the run's own scores of the site's [n] and of the old validation photos [m].
    """
    learned = folds >= 0
    referee = Referee(
        labels=feed.site.labels[learned],
        folds=folds[learned],
        old_labels=feed.old["validation"].labels if feed.old else np.zeros(0, np.int64),
        old_before=before[1],
        threshold=threshold,
        limits=limits,
    )
    trials: list[Trial] = []
    for number, stage in enumerate(recipe.stages, start=1):
        trials += _tried(feed, folds, number, stage, _best_head(referee, trials))
    chosen = referee.choose(trials)
    say(f"chosen: {chosen.name}")
    learner = Learner(feed, chosen.rule, chosen.head)
    rows = learner.fit(np.flatnonzero(learned), chosen.strength)
    return Contest(
        trials=tuple(trials),
        chosen=chosen,
        before=_unchanged(recipe, before[0][learned], before[1]),
        referee=referee,
        unseen=chosen.site,
        honest=_honest(referee, trials),
        site=learner.site_scores(),
        old=learner.old_scores(),
        history=[{"stage": float(chosen.stage), **row} for row in rows],
    )


def _best_head(referee: Referee, trials: Sequence[Trial]) -> Trial | None:
    """Of the heads tried so far; the stages that come after go on from it."""
    heads = [trial for trial in trials if isinstance(trial.rule, HeadStage)]
    return min(heads, key=referee.loss) if heads else None


def _tried(
    feed: Feed, folds: Folds, number: int, stage: Stage, best: Trial | None
) -> Iterator[Trial]:
    head = best if isinstance(stage, DescentStage) else None
    learner = Learner(feed, stage, head.rule if head else None)
    single = (head.strength if head else None,)
    strengths = stage.strengths if isinstance(stage, HeadStage) else single
    for strength in strengths:
        say(f"trying: {_name(stage, strength)}")
        scores = [_fold(feed, learner, folds, fold, number, strength) for fold in range(FOLDS)]
        site = np.choose(np.maximum(folds, 0), [one for one, _ in scores])
        yield Trial(
            name=_name(stage, strength),
            stage=number,
            rule=stage,
            head=head.rule if head else None,
            strength=strength,
            trained=learner.trained,
            site=site[folds >= 0],
            old=np.stack([old for _, old in scores]),
        )


def _fold(
    feed: Feed, learner: Learner, folds: Folds, fold: int, number: int, strength: float | None
) -> tuple[Scores, Scores]:
    """Scores of all photos by a model that did not see a fold; from the store if it has them."""
    sites, olds = len(feed.site), len(feed.old["validation"]) if feed.old else 0

    def train() -> Iterator[Scores]:
        learner.fit(np.flatnonzero((folds >= 0) & (folds != fold)), strength)
        yield np.concatenate([learner.site_scores(), learner.old_scores()])

    key = f"stage-{number}-{strength}-fold-{fold}"
    scores = np.asarray(feed.store.obtain(key, (sites + olds,), train), np.float64)
    return scores[:sites], scores[sites:]


def _honest(referee: Referee, trials: Sequence[Trial]) -> Scores:
    scores = np.zeros(len(referee.labels))
    for fold in range(FOLDS):
        chosen = referee.choose(trials, without=fold)
        scores[referee.folds == fold] = chosen.site[referee.folds == fold]
    return scores


def _unchanged(recipe: Recipe, site: Scores, old: Scores) -> Trial:
    return Trial(
        name="as it was",
        stage=0,
        rule=recipe.stages[0],
        head=None,
        strength=None,
        trained=0,
        site=site,
        old=np.stack([old] * FOLDS),
    )


def _name(stage: Stage, strength: float | None) -> str:
    if isinstance(stage, HeadStage):
        return f"head alone, strength {strength:g}"
    first = f"head of strength {strength:g}, then " if strength is not None else ""
    return f"{first}top {100 * stage.top:g} % of the layers"
