"""A training run from a folder of photos to a folder of results."""

import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import keras

from corrosion_edge import __version__, output
from corrosion_edge.calibration import fit_temperature, log_odds, rescaled
from corrosion_edge.confidence import Confidence, assess
from corrosion_edge.image import Preprocessing
from corrosion_edge.metrics import Metrics, measure
from corrosion_edge.trainer import backbones, engine, plots
from corrosion_edge.trainer.data import fingerprint
from corrosion_edge.trainer.load import Splits, load
from corrosion_edge.trainer.model import cool, predict
from corrosion_edge.trainer.recipe import Recipe
from corrosion_edge.trainer.report import training_page
from corrosion_edge.trainer.run import MODEL_NAME, RUN_NAME
from corrosion_edge.trainer.samples import Samples, decode
from corrosion_edge.trainer.store import Store
from corrosion_edge.trainer.tensorboard import listener
from corrosion_edge.trainer.work import CACHE_BYTES, folder_beside

__all__ = ["THRESHOLD", "Request", "calibrated", "train", "versions"]

THRESHOLD: Final = 0.5
"""The score from which the verdict is corrosion, as in the paper."""

_PACKAGES = ("tensorflow", "keras", "numpy", "pillow", "scikit-learn", "scipy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Everything a run depends on, as the user gave it.

    ``split`` is "given" or "grouped", see ``load``. ``cache_bytes`` bounds what the run keeps on
    disk while it lasts. ``tensorboard`` is a folder for TensorBoard's logs.
    """

    data: Path
    recipe: Recipe
    weights: str = "imagenet"
    positive: str | None = None
    seed: int = 1
    split: str = "given"
    cache_bytes: int = CACHE_BYTES
    tensorboard: Path | None = None


def train(request: Request, out: Path) -> tuple[dict[str, Metrics], tuple[str, ...]]:
    """Train, measure, and write the run to ``out``, whole or not at all.

    A run that was killed goes on from its last finished epoch when its command is repeated.
    Returns the metrics on validation and, if the data have one, on the test split, and a
    sentence for each photo that could not be read. Raises DataError, WeightsError, UsageError,
    OutputError.
    """
    started = time.monotonic()
    output.require_new(out)
    recipe = request.recipe
    keras.utils.set_random_seed(request.seed)
    backbone, origin = backbones.build(recipe.backbone, recipe.image_size, request.weights)
    spec = Preprocessing(recipe.image_size, recipe.image_size)
    data = load(
        request.data, spec, positive=request.positive, seed=request.seed, split=request.split
    )
    with folder_beside(out, _plan(request, data, origin)) as work:
        fitted = engine.fit(_task(request, data, backbone, work))
        confidence = calibrated(fitted.model, data, recipe)
        metrics, pictures = _judge(fitted, data, confidence)
        info = _info(request, data, fitted, origin, spec)
        info["confidence"] = confidence.to_dict()
        info["seconds"] = round(time.monotonic() - started, 1)
        with output.new_folder(out) as folder:
            _write(folder, fitted, metrics, pictures, info)
    return metrics, data.unreadable


def _task(request: Request, data: Splits, backbone: keras.Model, work: Path) -> engine.Task:
    return engine.Task(
        recipe=request.recipe,
        parts=engine.start(request.recipe, backbone),
        train=data.samples["train"],
        validation=data.samples["validation"],
        seed=request.seed,
        sources=_sources(request.recipe, data),
        work=work,
        store=Store(work / "views", request.cache_bytes),
        listen=listener(request.tensorboard),
    )


def _sources(recipe: Recipe, data: Splits) -> Samples | None:
    """The training photos once more, in the size that crops are cut from."""
    if recipe.source_size in (0, recipe.image_size):
        return None
    spec = Preprocessing(recipe.source_size, recipe.source_size)
    return decode(data.samples["train"].photos, spec, "Reading them larger")


def calibrated(model: keras.Model, data: Splits, recipe: Recipe) -> Confidence:
    """Fit the temperature on validation, put it into the head, say what scores are then worth."""
    samples, settings = data.samples["validation"], recipe.confidence
    before = predict(model, samples.pixels)
    temperature = 1.0
    if settings.temperature:
        temperature = fit_temperature(log_odds(before), samples.labels)
        cool(model, temperature)
    return assess(
        samples.labels,
        predict(model, samples.pixels),
        temperature=temperature,
        uncalibrated=before,
        recall=settings.recall,
        alpha=settings.alpha,
    )


def _plan(request: Request, data: Splits, origin: str) -> dict[str, Any]:
    """All that the result depends on, so that only the same run goes on where a kill ended it."""
    used = [photo for samples in data.samples.values() for photo in samples.photos]
    recipe = {k: v for k, v in asdict(request.recipe).items() if k != "text"}
    return {
        "recipe": recipe,
        "weights": origin,
        "seed": request.seed,
        "split": request.split,
        "data": fingerprint(used, data.dataset.root),
        "versions": versions(),
    }


def _judge(
    fitted: engine.Fitted, data: Splits, confidence: Confidence
) -> tuple[dict[str, Metrics], dict[str, bytes]]:
    metrics = {}
    for name in [n for n in ("validation", "test") if n in data.samples]:
        samples = data.samples[name]
        scores = predict(fitted.model, samples.pixels)
        metrics[name] = measure(samples.labels, scores, THRESHOLD, confidence)
    pictures = {
        "learning_curves": plots.learning_curves(fitted.history),
        "confusion_matrix": plots.confusion_matrix(metrics[name]),
        "roc": plots.roc(samples.labels, scores, metrics[name]),
        "reliability": plots.reliability(
            samples.labels, scores, metrics[name], rescaled(scores, 1 / confidence.temperature)
        ),
    }
    return metrics, pictures


def _info(
    request: Request, data: Splits, fitted: engine.Fitted, origin: str, spec: Preprocessing
) -> dict[str, Any]:
    recipe = request.recipe
    return {
        "corrosion_edge": __version__,
        "recipe": recipe.name,
        "recipe_text": recipe.text,
        "backbone": recipe.backbone,
        "weights": origin,
        "pooling": recipe.pooling,
        "image_size": recipe.image_size,
        "seed": request.seed,
        "chosen": dict(fitted.chosen),
        "threshold": THRESHOLD,
        "preprocessing": spec.to_dict(),
        "command": _command(request),
        "data": data.describe(),
        "versions": versions(),
        "machine": f"{platform.machine()}, {platform.system()} {platform.release()}",
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a result depends on."""
    return {name: version(name) for name in _PACKAGES} | {"python": platform.python_version()}


def _command(request: Request) -> str:
    recipe = request.recipe
    given = {
        "recipe": recipe.name,
        "weights": Path(request.weights).name,
        "positive": request.positive,
        "split": None if request.split == "given" else request.split,
        "seed": request.seed,
    }
    words = [f"--{name} {value}" for name, value in given.items() if value is not None]
    return " ".join(["corrosion-edge train DATA --out RUN", *words, *recipe.choices])


def _write(
    folder: Path,
    fitted: engine.Fitted,
    metrics: Mapping[str, Metrics],
    pictures: Mapping[str, bytes],
    info: Mapping[str, Any],
) -> None:
    fitted.model.save(folder / MODEL_NAME)
    output.write(folder / RUN_NAME, output.json_text(info))
    output.write(folder / "recipe.toml", info["recipe_text"])
    head = list(dict.fromkeys(name for row in fitted.history for name in row))
    rows = [[row.get(name, "") for name in head] for row in fitted.history]
    output.write(folder / "history.csv", output.csv_text(head, rows))
    figures = {name: m.to_dict() for name, m in metrics.items()}
    output.write(folder / "metrics.json", output.json_text(figures))
    for name, picture in pictures.items():
        output.write(folder / f"{name}.png", picture)
    output.write(folder / "report.html", training_page(info, metrics, pictures))
