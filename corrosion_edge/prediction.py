"""What the product says of a picture."""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["CORROSION", "LABELS", "NO_CORROSION", "UNSURE", "Prediction"]

NO_CORROSION: Final = "no-corrosion"
CORROSION: Final = "corrosion"
UNSURE: Final = "unsure"
LABELS: Final = (NO_CORROSION, CORROSION)
"""The classes in the order of the network's ``scores``; the last is the positive one."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """A verdict on one picture.

    ``score`` is the probability of corrosion, in [0, 1]; ``threshold`` is in [0, 1] and the
    verdict is corrosion where ``score >= threshold``. ``heatmap`` is float32 [h, w], the local
    log-odds of corrosion whose mean is the log-odds of ``score``, or None where the model
    (maximum pooling, ``--no-heatmap``) has none. ``band`` holds the two scores between which the
    model abstains, and reaches to the threshold; None where it has no such band. ``tile`` is the
    column and row, from 1, of the tile the score comes from, None for a whole picture; then the
    map is that of all tiles. ``backend`` is what the network ran on, ``model_sha256`` the network's
    digest in hex; empty if nobody said.
    """

    score: float
    threshold: float
    heatmap: npt.NDArray[np.float32] | None = field(default=None, compare=False, repr=False)
    band: tuple[float, float] | None = None
    tile: tuple[int, int] | None = None
    backend: str = field(default="", compare=False)
    model_sha256: str = field(default="", compare=False, repr=False)

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

    @property
    def unsure(self) -> bool:
        """Whether the score lies in the band on which the model abstains, its ends included."""
        return self.band is not None and self.band[0] <= self.score <= self.band[1]

    @property
    def word(self) -> str:
        """What a person reads: ``unsure`` inside the band, else the label."""
        return UNSURE if self.unsure else self.label

    def to_dict(self) -> dict[str, Any]:
        """The fields a program reads: label, score, threshold.

        Also unsure, true or false, where the model has a band, tile where there are tiles, and
        backend. The label stays the verdict of the threshold.
        """
        fields: dict[str, Any] = {
            "label": self.label, "score": self.score, "threshold": self.threshold
        }  # fmt: skip
        if self.band is not None:
            fields["unsure"] = self.unsure
        if self.tile is not None:
            fields["tile"] = list(self.tile)
        if self.backend:
            fields["backend"] = self.backend
        return fields
