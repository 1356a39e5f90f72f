"""The two sides of a comparison: a float model and an int8 one, ready to score and to look."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corrosion_edge.device.classifier import Classifier
from corrosion_edge.errors import UsageError
from corrosion_edge.image import Preprocessing
from corrosion_edge.prediction import Prediction
from corrosion_edge.quantize.evidence.float_tflite import FloatTflite
from corrosion_edge.trainer.evaluate import KERAS_THRESHOLD, Scorer, open_scorer
from corrosion_edge.trainer.run import Run

__all__ = ["Look", "Side", "keras_look", "open_float", "open_int8", "require_same_input"]

Look = Callable[[npt.NDArray[np.uint8]], Prediction]
"""From a prepared picture, uint8 [h, w, 3], to a prediction with its heat map, if there is one."""


@dataclass(frozen=True, slots=True)
class Side:
    """A model: how it scores many photos, how it looks at one, and its precision."""

    scorer: Scorer
    look: Look
    precision: str = "float32"


def open_float(model: Path, open_models: ExitStack) -> Side:
    """Open a run's folder, a ``.keras`` or a float ``.tflite`` file (DataError, UsageError)."""
    if model.is_file() and model.suffix != ".keras":
        return _float_tflite(model, open_models)
    scorer = open_scorer(model, open_models)
    path = Run.open(model).model if model.is_dir() else model
    return Side(scorer, _look_later(path, scorer.threshold))


def open_int8(model: Path, open_models: ExitStack) -> Side:
    """Open a model file of ``quantize`` (BundleError, BackendError)."""
    classifier = open_models.enter_context(Classifier.open(model))
    scorer = open_scorer(model, open_models)
    return Side(scorer, classifier.classify, classifier.manifest.precision)


def require_same_input(reference: Side, quantized: Side) -> None:
    """UsageError if the two networks take pictures of different sizes."""
    sizes = [(s.scorer.spec.width, s.scorer.spec.height) for s in (reference, quantized)]
    if sizes[0] != sizes[1]:
        first, second = ("{} x {}".format(*size) for size in sizes)
        raise UsageError(
            f"FLOAT takes pictures of {first} pixels, INT8 of {second}: name the model that INT8 "
            "was made from"
        )


def keras_look(network: Any, threshold: float) -> Look:
    """Look with a trained Keras model, as it is delivered but in float."""
    from corrosion_edge.trainer.model import deliverable

    delivered = deliverable(network)

    def look(pixels: npt.NDArray[np.uint8]) -> Prediction:
        found = {k: np.asarray(v) for k, v in delivered(pixels[None].astype(np.float32)).items()}
        local = found["map"][0, :, :, 0] if "map" in found else None
        return Prediction(float(np.clip(found["scores"][0, 1], 0, 1)), threshold, local)

    return look


def _look_later(path: Path, threshold: float) -> Look:
    """Load the network when the first picture is looked at: most comparisons show few or none."""

    @cache
    def opened() -> Look:
        from corrosion_edge.trainer.model import load

        return keras_look(load(path), threshold)

    def look(pixels: npt.NDArray[np.uint8]) -> Prediction:
        return opened()(pixels)

    return look


def _float_tflite(path: Path, open_models: ExitStack) -> Side:
    model = open_models.enter_context(FloatTflite(path))

    def look(pixels: npt.NDArray[np.uint8]) -> Prediction:
        return model.look(pixels, KERAS_THRESHOLD)

    def score(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        return np.array([look(picture).score for picture in pixels])

    width, height = model.size
    return Side(Scorer(Preprocessing(width, height), KERAS_THRESHOLD, score), look)
