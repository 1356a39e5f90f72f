"""What decides between conversions: their scores on photos, each taken once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from corrosion_edge.bundle import Bundle
from corrosion_edge.device.backends import open_backend
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.precision import INT8
from corrosion_edge.progress import progress
from corrosion_edge.quantize.drift import DriftReport, compare
from corrosion_edge.quantize.evidence.limits import Limits
from corrosion_edge.quantize.evidence.sets import Scored
from corrosion_edge.quantize.sealing import bare_bundle
from corrosion_edge.trainer.model import predict
from corrosion_edge.trainer.run import Run
from corrosion_edge.trainer.samples import Samples

__all__ = ["Judge", "judge_of", "scores"]

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judge:
    """Compares flatbuffers with the float model, and remembers the scores of each.

    ``before`` are the float model's probabilities of the ``samples``, float64 [n];
    ``score(model, precision)`` gives a flatbuffer's.
    """

    samples: Samples
    before: Scores
    score: Callable[[bytes, str], Scores]
    threshold: float
    limits: Limits
    _after: dict[bytes, Scores] = field(default_factory=dict, repr=False)

    def __call__(self, model: bytes, precision: str = INT8) -> DriftReport:
        """The comparison, without intervals (BackendError if the network cannot be run)."""
        after = self._scores(model, precision)
        labels = self.samples.labels
        return compare(labels, self.before, after, self.threshold, self.limits, intervals=False)

    def alarm_rise(self, model: bytes, precision: str = INT8) -> float:
        """Rate of false alarms less the float model's, on the photos without corrosion."""
        clean = self.samples.labels == 0
        after = self._scores(model, precision)[clean] >= self.threshold
        return float(after.mean() - (self.before[clean] >= self.threshold).mean())

    def scored(self, name: str, model: bytes, precision: str = INT8) -> Scored:
        """The photos with the scores of both models, under a name for them."""
        return Scored(name, self.samples, self.before, self._scores(model, precision))

    def _scores(self, model: bytes, precision: str) -> Scores:
        if model not in self._after:
            self._after[model] = self.score(model, precision)
        return self._after[model]


def judge_of(run: Run, network: Any, held_out: Samples, limits: Limits) -> Judge:
    """The judge of a run's conversions, by these photos."""

    def score(model: bytes, precision: str) -> Scores:
        return scores(bare_bundle(run, model, precision), held_out)

    return Judge(
        samples=held_out,
        before=predict(network, held_out.pixels),
        score=score,
        threshold=run.threshold,
        limits=limits,
    )


def scores(bundle: Bundle, samples: Samples) -> Scores:
    """Float64 [n]: the converted model's probabilities, through the device's own classifier."""
    with Classifier(bundle, open_backend(bundle)) as classifier:
        pictures = progress(samples.pixels, "Comparing", length=len(samples))
        return np.array([classifier.classify(picture).score for picture in pictures])
