"""What the new model's scores are worth, on photos of both places that it did not learn from."""

import keras
import numpy as np
import numpy.typing as npt

from corrosion_edge.calibration import fit_temperature, log_odds, rescaled
from corrosion_edge.confidence import Confidence, assess
from corrosion_edge.trainer.model import cool
from corrosion_edge.trainer.recipe import Confide

__all__ = ["calibrate"]

Labels = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]


def calibrate(
    model: keras.Model, labels: Labels, scores: Scores, settings: Confide, on: str
) -> Confidence:
    """Fit a temperature, put it into the model's head, and find thresholds and band.

    ``scores`` [n] of photos with ``labels`` [n], of both classes, are of models without that
    temperature: of ``model`` itself, or of those of the folds, which stand in for it (as in
    scikit-learn's ``CalibratedClassifierCV(ensemble=False)``). ``on`` names the photos.
    """
    temperature = fit_temperature(log_odds(scores), labels) if settings.temperature else 1.0
    cool(model, temperature)
    return assess(
        labels,
        rescaled(scores, temperature),
        temperature=temperature,
        uncalibrated=scores,
        on=on,
        recall=settings.recall,
        alpha=settings.alpha,
    )
