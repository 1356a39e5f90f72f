"""Judging a model - a run, a Keras file, a TFLite file - on labelled photos."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corrosion_edge import metrics as measuring
from corrosion_edge import output
from corrosion_edge.calibration import rescaled
from corrosion_edge.confidence import Confidence
from corrosion_edge.errors import DataError
from corrosion_edge.image import Preprocessing
from corrosion_edge.metrics import Metrics
from corrosion_edge.prediction import LABELS
from corrosion_edge.progress import progress
from corrosion_edge.threshold import Choice, chosen
from corrosion_edge.trainer import plots, robustness
from corrosion_edge.trainer.data import scan
from corrosion_edge.trainer.keras_start import start_keras
from corrosion_edge.trainer.load import GROUPED, load
from corrosion_edge.trainer.report import evaluation_page
from corrosion_edge.trainer.robustness import Robustness
from corrosion_edge.trainer.run import Run
from corrosion_edge.trainer.samples import Samples, decode

__all__ = [
    "KERAS_THRESHOLD",
    "Evaluation",
    "Scorer",
    "evaluate",
    "open_scorer",
    "photos_of",
    "score_all",
    "write_evaluation",
]

KERAS_THRESHOLD = 0.5
"""For a bare Keras file, which carries no threshold of its own."""

_BATCH = 32
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scorer:
    """A model ready to score: prepared uint8 [n, h, w, 3] to P(corrosion), float64 [n].

    ``backend`` is what it runs on: runtime, version, device; empty where that is not told.
    ``confidence`` is what the model carries of it. ``temperature`` can be taken out of the
    scores again; it is 1 for an integer model, whose steps of 1/256 do not allow it.
    ``own_split`` are seed and fingerprint of photos that training split itself.
    """

    spec: Preprocessing
    threshold: float
    score: Callable[[npt.NDArray[np.uint8]], Scores]
    confidence: Confidence | None = None
    temperature: float = 1.0
    own_split: tuple[int, str] | None = None
    backend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """The photos that were judged, their scores float64 [n], and the metrics.

    ``split`` is the part of the data that they are, "" where all of an unsplit folder was taken.
    ``uncalibrated`` are the scores without the model's temperature, where it has one that can be
    taken out; ``slices`` is None where they were left out. ``backend`` is what the model ran on.
    """

    samples: Samples
    scores: Scores
    metrics: Metrics
    split: str
    confidence: Confidence | None = None
    uncalibrated: Scores | None = None
    slices: Robustness | None = None
    backend: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The metrics' fields, ``confidence`` and ``slices`` (None where there is none), and
        ``backend``."""
        return self.metrics.to_dict() | {
            "backend": self.backend,
            "confidence": self.confidence.to_dict() if self.confidence else None,
            "slices": self.slices.to_dict() if self.slices else None,
        }


def evaluate(
    model: Path,
    data: Path,
    split: str,
    positive: str | None = None,
    *,
    threshold: Choice = None,
    slices: bool = False,
) -> Evaluation:
    """Score the photos of ``data``: those of ``split``, or all if the folder is not split.

    Where training split these very photos itself, ``split`` is a part of that split: no photo
    that the model learned from is taken for a test photo.

    ``threshold`` None is the model's own. With ``slices`` every photo is also scored in every
    slice. Raises DataError, UsageError or BundleError, naming the file or folder.
    """
    scan(data, positive)  # a wrong folder is said before a model is loaded
    with ExitStack() as open_models:
        scorer = open_scorer(model, open_models)
        limit = chosen(threshold, scorer.threshold, scorer.confidence, str(model))
        part, samples = photos_of(scorer, data, split, positive)
        scores = score_all(scorer, samples)
        figures = measuring.measure(samples.labels, scores, limit, scorer.confidence)
        robust = None
        if slices:
            robust = robustness.measure(samples.photos, scorer.spec, scorer.score, limit)
    return Evaluation(
        samples=samples,
        scores=scores,
        metrics=figures,
        split=part,
        confidence=scorer.confidence,
        uncalibrated=rescaled(scores, 1 / scorer.temperature) if scorer.temperature != 1 else None,
        slices=robust,
        backend=scorer.backend,
    )


def open_scorer(model: Path, open_models: ExitStack) -> Scorer:
    """Open a run's folder, a ``.keras`` or a ``.tflite`` file."""
    if model.is_dir():
        run = Run.open(model)
        scorer = _keras_scorer(run.model, run.threshold, run.preprocessing, run.confidence)
        return replace(scorer, own_split=_own_split(run.info["data"], run.info["seed"]))
    if not model.exists():
        raise DataError(f"{model}: no such model; name a run's folder, a .keras or a .tflite file")
    if model.suffix == ".keras":
        return _keras_scorer(model, KERAS_THRESHOLD, None, None)
    return _tflite_scorer(model, open_models)


def photos_of(scorer: Scorer, data: Path, split: str, positive: str | None) -> tuple[str, Samples]:
    """The photos, and the split that they are: "" for a folder that is not split.

    Where the model's training split these very photos itself, that split is taken.
    """
    if scorer.own_split is not None:
        seed, fingerprint = scorer.own_split
        again = load(data, scorer.spec, positive=positive, seed=seed, split="grouped")
        if again.describe()["fingerprint"] == fingerprint:
            return split, again.samples[split]
    dataset = scan(data, positive)
    if not dataset.presplit:
        return "", decode(dataset.photos, scorer.spec)
    return split, decode(dataset.of(split), scorer.spec)


def _own_split(data: Mapping[str, Any], seed: int) -> tuple[int, str] | None:
    """Seed and fingerprint, from what a model says of its photos, if training split them."""
    return (seed, data["fingerprint"]) if data["split"] == GROUPED else None


def score_all(scorer: Scorer, samples: Samples) -> Scores:
    """P(corrosion) of decoded photos, float64 [n], behind a progress bar."""
    starts = progress(range(0, len(samples), _BATCH), "Classifying")
    return np.concatenate([scorer.score(samples.pixels[i : i + _BATCH]) for i in starts])


def _keras_scorer(
    path: Path, threshold: float, spec: Preprocessing | None, confidence: Confidence | None
) -> Scorer:
    start_keras()
    from corrosion_edge.trainer.model import load, predict, runs_on

    network = load(path)
    height, width = network.input_shape[1:3]
    return Scorer(
        spec or Preprocessing(width, height),
        threshold,
        lambda pixels: predict(network, pixels),
        confidence,
        confidence.temperature if confidence else 1.0,
        backend=runs_on(),
    )


def _tflite_scorer(path: Path, open_models: ExitStack) -> Scorer:
    from corrosion_edge.device.classifier import Classifier

    classifier = open_models.enter_context(Classifier.open(path))
    manifest = classifier.manifest

    def score(pixels: npt.NDArray[np.uint8]) -> Scores:
        return np.array([classifier.classify(picture).score for picture in pixels])

    made = manifest.provenance
    own = _own_split(made["data"], made["training"]["seed"]) if "training" in made else None
    return Scorer(
        manifest.preprocessing, manifest.threshold, score, manifest.confidence, own_split=own,
        backend=classifier.backend.name,
    )  # fmt: skip


def write_evaluation(folder: Path, model: str, what: str, result: Evaluation) -> None:
    """Write metrics.json, scores.csv, the pictures and report.html (OutputError)."""
    pictures = _pictures(result)
    output.write(folder / "metrics.json", output.json_text(result.to_dict()))
    output.write(folder / "scores.csv", _scores_csv(result))
    for name, picture in pictures.items():
        output.write(folder / f"{name}.png", picture)
    page = evaluation_page(
        model, what, result.metrics, pictures, confidence=result.confidence, slices=result.slices,
        backend=result.backend,
    )  # fmt: skip
    output.write(folder / "report.html", page)


def _pictures(result: Evaluation) -> dict[str, bytes]:
    labels, metrics = result.samples.labels, result.metrics
    pictures = {
        "reliability": plots.reliability(labels, result.scores, metrics, result.uncalibrated),
        "confusion_matrix": plots.confusion_matrix(metrics),
        "roc": plots.roc(labels, result.scores, metrics),
    }
    return pictures | ({"slices": plots.slices(result.slices)} if result.slices else {})


def _scores_csv(result: Evaluation) -> str:
    rows = [
        (photo.path, LABELS[photo.label], f"{score:.6f}")
        for photo, score in zip(result.samples.photos, result.scores, strict=True)
    ]
    return output.csv_text(("path", "label", "score"), rows)
