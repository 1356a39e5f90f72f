"""Head alone or top layers: which candidate the photos warrant, on folds it did not learn from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from corrosion_edge.trainer.recipe import Stage
from corrosion_edge.trainer.site.figures import Limits, log_losses

__all__ = ["Referee", "Trial"]

Labels = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trial:
    """A candidate and what its models of each fold gave.

    ``stage`` is the number, from 1, of the recipe's ``rule``, which trains ``trained`` weights;
    ``strength`` is the head's; a descent has that of the ``head`` it goes on from, if any.
    ``site`` float64 [n] are the scores of the photos that were learned from, each by the model
    of the fold that left it out; ``old`` [folds, m] those of the old validation photos.
    """

    name: str
    stage: int
    rule: Stage
    head: Stage | None
    strength: float | None
    trained: int
    site: Scores
    old: Scores


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Referee:
    """Chooses between candidates on photos with known labels.

    ``labels`` and ``folds`` [n] are of the photos in a trial's ``site``; ``old_labels`` [m] and
    ``old_before`` [m], the scores of the run that all start from, of the old validation photos,
    m = 0 without replay. Verdicts are at ``threshold``.
    """

    labels: Labels
    folds: Labels
    old_labels: Labels
    old_before: Scores
    threshold: float
    limits: Limits

    @property
    def count(self) -> int:
        """How many folds there are."""
        return int(self.folds.max()) + 1

    def choose(self, trials: Sequence[Trial], without: int | None = None) -> Trial:
        """The simplest candidate that is as good as the best, as far as so few photos can tell.

        The measure is the mean of the log losses on the site's photos and on the old validation
        photos. Of each stage the best is kept. A stage that trains more weights must be better
        by more than one standard error of the difference over photos (the one-standard-error
        rule of Breiman et al. 1984). Candidates that forget more than the limit are left out; if
        all do, the one with the least loss on the old photos is taken. ``without`` leaves a fold
        out of everything.
        """
        kept = [trial for trial in trials if not self.forgets(trial, without)]
        if not kept:
            return min(trials, key=lambda t: float(self._losses(t, without)[1].mean()))
        stages = sorted({trial.stage for trial in kept})
        best = [
            min((t for t in kept if t.stage == stage), key=lambda t: self.loss(t, without))
            for stage in stages
        ]
        winner = min(best, key=lambda t: self.loss(t, without))
        simplest_first = sorted(best, key=lambda t: t.trained)
        return next(t for t in simplest_first if self._as_good(t, winner, without))

    def loss(self, trial: Trial, without: int | None = None) -> float:
        """The measure, in nats; without old photos the site's log loss alone."""
        return float(np.mean([part.mean() for part in self._losses(trial, without) if part.size]))

    def forgets(self, trial: Trial, without: int | None = None) -> bool:
        """Whether its models lose more on the old validation photos, on average, than allowed."""
        if not len(self.old_labels):
            return False
        before = self._old_figures(self.old_before)
        after = np.mean([self._old_figures(s) for s in self._old(trial, without)], axis=0)
        return bool(np.any(before - after > (self.limits.auc, self.limits.accuracy)))

    def row(self, trial: Trial) -> dict[str, Any]:
        """Plain values: what was measured of a candidate."""
        site, old = self._losses(trial, None)
        row: dict[str, Any] = {
            "candidate": trial.name,
            "stage": trial.stage,
            "trained_weights": trial.trained,
            "loss": self.loss(trial),
            "site_log_loss": float(site.mean()),
            "site_accuracy": float(np.mean(self._right(self.labels, trial.site))),
        }
        if not len(self.old_labels):
            return row
        auc, accuracy = np.mean([self._old_figures(s) for s in trial.old], axis=0)
        figures = {"old_log_loss": old.mean(), "old_auc": auc, "old_accuracy": accuracy}
        return row | {k: float(v) for k, v in figures.items()} | {"forgets": self.forgets(trial)}

    def _as_good(self, trial: Trial, winner: Trial, without: int | None) -> bool:
        pairs = zip(self._losses(trial, without), self._losses(winner, without), strict=True)
        gaps = [one - best for one, best in pairs if one.size]
        gap = float(np.mean([part.mean() for part in gaps]))
        variance = sum(part.var(ddof=1) / part.size for part in gaps) / len(gaps) ** 2
        return gap <= float(np.sqrt(variance))

    def _losses(self, trial: Trial, without: int | None) -> tuple[Scores, Scores]:
        """Of each photo of the site, and of each old one on average over the folds' models."""
        kept = self._kept(without)
        site = log_losses(self.labels[kept], trial.site[kept])
        old = [log_losses(self.old_labels, scores) for scores in self._old(trial, without)]
        return site, np.mean(old, axis=0)

    def _kept(self, without: int | None) -> Mask:
        return np.asarray(self.folds != (-1 if without is None else without))

    def _old(self, trial: Trial, without: int | None) -> Scores:
        return trial.old if without is None else np.delete(trial.old, without, axis=0)

    def _old_figures(self, scores: Scores) -> tuple[float, float]:
        right = self._right(self.old_labels, scores)
        return float(roc_auc_score(self.old_labels, scores)), float(np.mean(right))

    def _right(self, labels: Labels, scores: Scores) -> Mask:
        return np.asarray((scores >= self.threshold) == (labels == 1))
