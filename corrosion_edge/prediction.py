"""What the product says of a picture."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["CORROSION", "LABELS", "NO_CORROSION", "Prediction"]

NO_CORROSION: Final = "no-corrosion"
CORROSION: Final = "corrosion"
LABELS: Final = (NO_CORROSION, CORROSION)
"""The classes in the order of the network's ``scores``; the last is the positive one."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """A verdict on one picture.

    ``score`` is the probability of corrosion, in [0, 1]; ``threshold`` is in [0, 1] and the
    verdict is corrosion where ``score >= threshold``. ``heatmap`` is float32 [h, w], the local
    log-odds of corrosion whose mean is the log-odds of ``score``, or None where the model
    (maximum pooling, ``--no-heatmap``) has none.
    """

    score: float
    threshold: float
    heatmap: npt.NDArray[np.float32] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        for name, value in (("score", self.score), ("threshold", self.threshold)):
            if not 0.0 <= value <= 1.0:
                raise ValueError(f"{name}: expected a number in [0, 1], got {value!r}")
        if self.heatmap is not None and self.heatmap.ndim != 2:
            raise ValueError(f"heatmap: expected [h, w], got shape {self.heatmap.shape}")

    @property
    def corroded(self) -> bool:
        """Whether the verdict is corrosion."""
        return self.score >= self.threshold

    @property
    def label(self) -> str:
        """``corrosion`` or ``no-corrosion``."""
        return CORROSION if self.corroded else NO_CORROSION

    def to_dict(self) -> dict[str, str | float]:
        """The fields a program reads: label, score, threshold."""
        return {"label": self.label, "score": self.score, "threshold": self.threshold}
