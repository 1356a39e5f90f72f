"""Judging a model - a run, a Keras file, a TFLite file - on labelled photos."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from corrosion_edge import output
from corrosion_edge.errors import DataError
from corrosion_edge.image import Preprocessing
from corrosion_edge.metrics import Metrics, measure
from corrosion_edge.prediction import LABELS
from corrosion_edge.progress import progress
from corrosion_edge.trainer import plots
from corrosion_edge.trainer.data import Photo, scan
from corrosion_edge.trainer.keras_start import start_keras
from corrosion_edge.trainer.report import evaluation_page
from corrosion_edge.trainer.run import Run
from corrosion_edge.trainer.samples import Samples, decode

__all__ = ["Evaluation", "Scorer", "evaluate", "open_scorer", "write_evaluation"]

KERAS_THRESHOLD = 0.5
"""For a bare Keras file, which carries no threshold of its own."""


@dataclass(frozen=True, slots=True)
class Scorer:
    """A model ready to score: prepared uint8 [n, h, w, 3] to P(corrosion), float64 [n]."""

    spec: Preprocessing
    threshold: float
    score: Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float64]]


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """The photos that were judged, their scores float64 [n], and the metrics."""

    samples: Samples
    scores: npt.NDArray[np.float64]
    metrics: Metrics


def evaluate(model: Path, data: Path, split: str, positive: str | None = None) -> Evaluation:
    """Score the photos of ``data``: those of ``split``, or all if the folder is not split.

    Raises DataError or BundleError, naming the file or folder.
    """
    photos = _chosen(data, split, positive)
    with ExitStack() as open_models:
        scorer = open_scorer(model, open_models)
        samples = decode(photos, scorer.spec)
        scores = scorer.score(samples.pixels)
    return Evaluation(samples, scores, measure(samples.labels, scores, scorer.threshold))


def open_scorer(model: Path, open_models: ExitStack) -> Scorer:
    """Open a run's folder, a ``.keras`` or a ``.tflite`` file."""
    if model.is_dir():
        run = Run.open(model)
        return _keras_scorer(run.model, run.threshold, run.preprocessing)
    if not model.exists():
        raise DataError(f"{model}: no such model; name a run's folder, a .keras or a .tflite file")
    if model.suffix == ".keras":
        return _keras_scorer(model, KERAS_THRESHOLD, None)
    return _tflite_scorer(model, open_models)


def _chosen(data: Path, split: str, positive: str | None) -> list[Photo]:
    dataset = scan(data, positive)
    return dataset.of(split) if dataset.presplit else list(dataset.photos)


def _keras_scorer(path: Path, threshold: float, spec: Preprocessing | None) -> Scorer:
    start_keras()
    from corrosion_edge.trainer.model import load, predict

    network = load(path)
    height, width = network.input_shape[1:3]
    return Scorer(
        spec or Preprocessing(width, height), threshold, lambda pixels: predict(network, pixels)
    )


def _tflite_scorer(path: Path, open_models: ExitStack) -> Scorer:
    from corrosion_edge.device.classifier import Classifier

    classifier = open_models.enter_context(Classifier.open(path))
    manifest = classifier.manifest

    def score(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        rows = progress(pixels, "Classifying", length=len(pixels))
        return np.array([classifier.classify(picture).score for picture in rows])

    return Scorer(manifest.preprocessing, manifest.threshold, score)


def write_evaluation(folder: Path, model: str, what: str, result: Evaluation) -> None:
    """Write metrics.json, scores.csv, the pictures and report.html (OutputError)."""
    labels, metrics = result.samples.labels, result.metrics
    pictures = {
        "confusion_matrix": plots.confusion_matrix(metrics),
        "roc": plots.roc(labels, result.scores, metrics),
    }
    output.write(folder / "metrics.json", output.json_text(metrics.to_dict()))
    output.write(folder / "scores.csv", _scores_csv(result))
    for name, picture in pictures.items():
        output.write(folder / f"{name}.png", picture)
    output.write(folder / "report.html", evaluation_page(model, what, metrics, pictures))


def _scores_csv(result: Evaluation) -> str:
    rows = [
        (photo.path, LABELS[photo.label], f"{score:.6f}")
        for photo, score in zip(result.samples.photos, result.scores, strict=True)
    ]
    return output.csv_text(("path", "label", "score"), rows)
