"""From a run and some dozens of photos of a structure to a run that knows both."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from corrosion_edge import output
from corrosion_edge.calibration import rescaled
from corrosion_edge.confidence import Confidence
from corrosion_edge.errors import GateError, UsageError
from corrosion_edge.prediction import LABELS
from corrosion_edge.trainer.model import predict
from corrosion_edge.trainer.recipe import Recipe
from corrosion_edge.trainer.samples import Samples
from corrosion_edge.trainer.site import photos as site_photos
from corrosion_edge.trainer.site.calibrate import calibrate
from corrosion_edge.trainer.site.figures import Change, Limits, compare, forgotten
from corrosion_edge.trainer.site.learner import Feed
from corrosion_edge.trainer.site.outcome import Outcome, Pair
from corrosion_edge.trainer.site.parent import Parent, load_old, open_parent
from corrosion_edge.trainer.site.photos import Division, Found
from corrosion_edge.trainer.site.result import run_info, write_refused, write_run
from corrosion_edge.trainer.site.trials import Contest, contest
from corrosion_edge.trainer.store import Store
from corrosion_edge.trainer.train import versions
from corrosion_edge.trainer.work import CACHE_BYTES, folder_beside

__all__ = ["Request", "tune"]

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Photos of the ``site``, the ``run`` to start from, the ``old`` photos it was trained on.

    ``old`` None trains without replay, and cannot tell what is forgotten. ``labels`` is a file
    that labels the photos, where their folders do not.
    """

    site: Path
    run: Path
    recipe: Recipe
    old: Path | None = None
    labels: Path | None = None
    positive: str | None = None
    limits: Limits = field(default_factory=Limits)
    seed: int = 1
    cache_bytes: int = CACHE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Set:
    """The photos behind a work: all of it read and checked."""

    parent: Parent
    found: Found
    site: Samples
    division: Division
    old: Mapping[str, Samples]
    unreadable: tuple[str, ...]


def tune(request: Request, out: Path) -> Outcome:
    """Train, measure on both sets, and write the run to ``out``, if it does not forget too much.

    Raises GateError, after writing ``out``'s name with .refused.html and .refused.json, for a
    model that does; DataError, UsageError, OutputError.
    """
    started = time.monotonic()
    with output.new_folder(out) as folder:
        keras.utils.set_random_seed(request.seed)
        known = _read(request)
        with folder_beside(out, _plan(request, known)) as work:
            outcome = _carry_out(request, known, Store(work / "views", request.cache_bytes))
        seconds = round(time.monotonic() - started, 1)
        info = run_info(request.recipe, outcome, _command(request), seconds)
        if outcome.broken:
            page = write_refused(out, outcome, info)
            raise GateError(f"{out} was not written: {'; '.join(outcome.broken)}. See {page}")
        write_run(folder, known.parent.parts.model, outcome, info)
    return outcome


def _read(request: Request) -> _Set:
    parent = open_parent(request.run)
    classes = parent.run.info["data"]["classes"]
    found = site_photos.find(request.site, request.labels, request.positive, classes)
    site = site_photos.read(found, parent.run.preprocessing)
    alone = set(site.labels.tolist())
    if len(alone) == 1 and request.old is None:
        raise UsageError(
            f"{request.site}: all photos are {LABELS[alone.pop()]}; from them alone a model "
            "learns to say nothing else. Give the old photos with --old"
        )
    division = site_photos.divide(site, site_photos.groups_of(site), request.seed)
    judged = site.labels[division.held_out] if division.held_out.any() else site.labels
    if len(set(judged.tolist())) == 1 and request.old is None:
        raise UsageError(
            f"{request.site}: its validation photos are of one class; give the old ones with --old"
        )
    old = load_old(parent.run, request.old) if request.old is not None else None
    return _Set(
        parent=parent,
        found=found,
        site=site,
        division=division,
        old=old.samples if old else {},
        unreadable=(*site.unreadable, *(old.unreadable if old else ())),
    )


def _plan(request: Request, known: _Set) -> dict[str, Any]:
    """All that the result depends on, so that only the same work goes on after a kill."""
    recipe = {k: v for k, v in asdict(request.recipe).items() if k != "text"}
    return {
        "recipe": recipe,
        "from": known.parent.describe(),
        "site": site_photos.describe(known.found, known.site, known.division),
        "replay": bool(known.old),
        "limits": asdict(request.limits),
        "seed": request.seed,
        "versions": versions(),
    }


def _carry_out(request: Request, known: _Set, store: Store) -> Outcome:
    parent, division = known.parent, known.division
    model, threshold = parent.parts.model, parent.run.threshold
    before = {"site": predict(model, known.site.pixels)}
    before |= {name: predict(model, samples.pixels) for name, samples in known.old.items()
               if name != "train"}  # fmt: skip
    held = before["site"], before.get("validation", np.zeros(0))
    feed = Feed(parent, known.site, known.old, store, request.seed)
    won = contest(feed, request.recipe, division.folds, request.limits, threshold, held)
    labels, scores, on = _unlearned(known, won)
    confidence = calibrate(model, labels, scores, request.recipe.confidence, on)
    changes, pairs = _changes(known, won, before, confidence)
    broken: tuple[str, ...] = ()
    if known.old:
        broken = forgotten(changes["validation"], request.limits)
    return Outcome(
        changes=changes,
        pairs=pairs,
        broken=broken,
        contest=won,
        confidence=confidence,
        parent=parent,
        site=site_photos.describe(known.found, known.site, division)
        | {"seed": request.seed, "replay": bool(known.old), "limits": asdict(request.limits)},
        notes=_notes(known, won, changes),
        unreadable=known.unreadable,
    )


def _unlearned(known: _Set, won: Contest) -> tuple[npt.NDArray[np.int64], Scores, str]:
    """Labels and scores of photos of both places that were not learned from."""
    division = known.division
    if division.how == "cross-validation":
        labels, scores = known.site.labels[division.folds >= 0], won.unseen
    else:
        labels, scores = known.site.labels[division.held_out], won.site[division.held_out]
    if not known.old:
        return labels, scores, "site"
    labels = np.concatenate([known.old["validation"].labels, labels])
    return labels, np.concatenate([won.old, scores]), "old validation and site"


def _changes(
    known: _Set, won: Contest, before: Mapping[str, Scores], confidence: Confidence
) -> tuple[dict[str, Change], dict[str, Pair]]:
    """Each set's figures before and after, and the scores behind them."""
    site, division, model = known.site, known.division, known.parent.parts.model
    judged = division.held_out if division.held_out.any() else division.folds >= 0
    after = rescaled(won.site, confidence.temperature)[judged]
    if division.how == "cross-validation":
        after = rescaled(won.honest, confidence.temperature)
    pairs = {"site": Pair(site.labels[judged], before["site"][judged], after)}
    if division.test.any():
        last = division.test
        scores = rescaled(won.site, confidence.temperature)[last]
        pairs["site test"] = Pair(site.labels[last], before["site"][last], scores)
    for name in (n for n in ("validation", "test") if n in known.old):
        samples = known.old[name]
        pairs[name] = Pair(samples.labels, before[name], predict(model, samples.pixels))
    threshold = known.parent.run.threshold
    changes = {n: compare(p.labels, p.before, p.after, threshold) for n, p in pairs.items()}
    return changes, pairs


def _notes(known: _Set, won: Contest, changes: Mapping[str, Change]) -> tuple[str, ...]:
    notes = []
    labels = set(known.site.labels.tolist())
    if len(labels) == 1:
        missing = "recall" if labels == {0} else "false alarms"
        notes.append(
            f"All photos of the site are {LABELS[labels.pop()]}: the {missing} there cannot be "
            "told, only that of the old photos."
        )
    if not known.old:
        notes.append("No old photos were given: what was forgotten is not known.")
    elif copies := site_photos.copies(known.site, [known.old["train"], known.old["validation"]]):
        notes.append(
            f"{copies} of the site's photos are versions of old training or validation photos; the "
            "figures of both are better than on a new structure."
        )
    if not won.gains:
        notes.append("No candidate is better than the run it started from, as far as was tried.")
    elif changes["site"].lost >= changes["site"].won:
        notes.append("On the photos of the site no more verdicts are right than before.")
    return tuple(notes)


def _command(request: Request) -> str:
    limits = request.limits
    given = {
        "old": "DATA" if request.old is not None else None,
        "labels": request.labels.name if request.labels is not None else None,
        "recipe": request.recipe.name if request.recipe.name != "site" else None,
        "positive": request.positive,
        "forget-limit": f"{limits.auc:g} {limits.accuracy:g}" if limits != Limits() else None,
        "seed": request.seed,
    }
    words = [f"--{name} {value}" for name, value in given.items() if value is not None]
    words += ["--no-replay"] if request.old is None else []
    start = "corrosion-edge train SITE_PHOTOS --from RUN --out NEW_RUN"
    return " ".join([start, *words])
