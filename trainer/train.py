"""A training run from a folder of photos to a folder of results."""

import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import keras

from corrosion_edge import __version__, output
from corrosion_edge.image import Preprocessing
from corrosion_edge.metrics import Metrics, measure
from corrosion_edge.trainer import backbones, plots, recipes
from corrosion_edge.trainer.load import Splits, load
from corrosion_edge.trainer.model import predict
from corrosion_edge.trainer.report import training_page
from corrosion_edge.trainer.run import MODEL_NAME, RUN_NAME

__all__ = ["THRESHOLD", "Request", "train"]

THRESHOLD: Final = 0.5
"""The score from which the verdict is corrosion, as in the paper."""

_PACKAGES = ("tensorflow", "keras", "numpy", "pillow", "scikit-learn", "scipy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Everything a run depends on, as the user gave it."""

    data: Path
    recipe: str
    backbone: str
    weights: str
    image_size: int
    positive: str | None
    options: recipes.Options


def train(request: Request, out: Path) -> tuple[dict[str, Metrics], tuple[str, ...]]:
    """Train, measure, and write the run to ``out``, whole or not at all.

    Returns the metrics on validation and, if the data have one, on the test split, and a
    sentence for each photo that could not be read. Raises DataError, WeightsError, UsageError,
    OutputError.
    """
    started = time.monotonic()
    with output.new_folder(out) as folder:
        keras.utils.set_random_seed(request.options.seed)
        backbone, origin = backbones.build(request.backbone, request.image_size, request.weights)
        spec = Preprocessing(request.image_size, request.image_size)
        seed = request.options.seed
        data = load(request.data, spec, positive=request.positive, seed=seed)
        fitted = recipes.fit(
            request.recipe,
            recipes.Task(
                backbone=backbone,
                train=data.samples["train"],
                validation=data.samples["validation"],
                options=request.options,
            ),
        )
        metrics, pictures = _judge(fitted, data)
        info = _info(request, data, fitted, origin, spec)
        info["seconds"] = round(time.monotonic() - started, 1)
        _write(folder, fitted, metrics, pictures, info)
    return metrics, data.unreadable


def _judge(fitted: recipes.Fitted, data: Splits) -> tuple[dict[str, Metrics], dict[str, bytes]]:
    metrics = {}
    for name in [n for n in ("validation", "test") if n in data.samples]:
        samples = data.samples[name]
        scores = predict(fitted.model, samples.pixels)
        metrics[name] = measure(samples.labels, scores, THRESHOLD)
    pictures = {
        "learning_curves": plots.learning_curves(fitted.history),
        "confusion_matrix": plots.confusion_matrix(metrics[name]),
        "roc": plots.roc(samples.labels, scores, metrics[name]),
    }
    return metrics, pictures


def _info(
    request: Request, data: Splits, fitted: recipes.Fitted, origin: str, spec: Preprocessing
) -> dict[str, Any]:
    options = request.options
    return {
        "corrosion_edge": __version__,
        "recipe": request.recipe,
        "backbone": request.backbone,
        "weights": origin,
        "pooling": options.pooling,
        "image_size": request.image_size,
        "seed": options.seed,
        "settings": dict(fitted.settings),
        "threshold": THRESHOLD,
        "preprocessing": spec.to_dict(),
        "command": _command(request),
        "data": data.describe(),
        "versions": {name: version(name) for name in _PACKAGES}
        | {"python": platform.python_version()},
        "machine": f"{platform.machine()}, {platform.system()} {platform.release()}",
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _command(request: Request) -> str:
    options = request.options
    given = {
        "recipe": request.recipe,
        "backbone": request.backbone,
        "weights": Path(request.weights).name,
        "image-size": request.image_size,
        "positive": request.positive,
        "pooling": options.pooling,
        "fine-tune": options.fine_tune,
        "epochs": ",".join(map(str, options.epochs)) if options.epochs else None,
        "seed": options.seed,
    }
    words = [f"--{name} {value}" for name, value in given.items() if value is not None]
    return " ".join(["corrosion-edge train DATA --out RUN", *words])


def _write(
    folder: Path,
    fitted: recipes.Fitted,
    metrics: Mapping[str, Metrics],
    pictures: Mapping[str, bytes],
    info: Mapping[str, Any],
) -> None:
    fitted.model.save(folder / MODEL_NAME)
    output.write(folder / RUN_NAME, output.json_text(info))
    output.write(
        folder / "history.csv",
        output.csv_text(list(fitted.history[0]), [list(r.values()) for r in fitted.history]),
    )
    figures = {name: m.to_dict() for name, m in metrics.items()}
    output.write(folder / "metrics.json", output.json_text(figures))
    for name, picture in pictures.items():
        output.write(folder / f"{name}.png", picture)
    output.write(folder / "report.html", training_page(info, metrics, pictures))
