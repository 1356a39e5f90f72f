"""What the int8 model's own scores are worth."""

from corrosion_edge.confidence import Confidence, assess, reassess
from corrosion_edge.quantize.evidence.sets import Scored
from corrosion_edge.trainer.run import Run

__all__ = ["worth"]


def worth(run: Run, scored: Scored) -> Confidence:
    """Thresholds and errors of the int8 scores; the temperature is the run's, if it has one."""
    labels, after = scored.samples.labels, scored.after
    if run.confidence is None:
        return assess(labels, after, uncalibrated=scored.before)
    return reassess(run.confidence, labels, after)
