"""What decides between conversions: their scores on the validation photos, each taken once."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from corrosion_edge.precision import INT8
from corrosion_edge.quantize.drift import DriftReport, compare
from corrosion_edge.quantize.evidence.limits import Limits
from corrosion_edge.quantize.evidence.sets import Scored
from corrosion_edge.trainer.samples import Samples

__all__ = ["Judge"]

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

    def scored(self, name: str, model: bytes, precision: str = INT8) -> Scored:
        """The photos with the scores of both models, under a name."""
        return Scored(name, self.samples, self.before, self._scores(model, precision))

    def _scores(self, model: bytes, precision: str) -> Scores:
        if model not in self._after:
            self._after[model] = self.score(model, precision)
        return self._after[model]
