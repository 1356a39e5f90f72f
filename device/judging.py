"""How a camera's frames are judged: what of each, by whom, and what keeps one from a verdict."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from corrosion_edge import image
from corrosion_edge.device.accelerator.state import AcceleratorState
from corrosion_edge.device.capture.quality import SPEC, Gate
from corrosion_edge.device.verdict import ModelChange, Unusable, Verdict
from corrosion_edge.frame import Frame
from corrosion_edge.prediction import Prediction

__all__ = ["Classifies", "Judging", "Sole", "View"]


class Classifies(Protocol):
    """What is wanted of a classifier."""

    def classify(self, pixels: npt.NDArray[np.uint8]) -> Prediction:
        """The verdict on uint8 [h, w, 3] RGB pixels."""


@dataclass(frozen=True, slots=True)
class View:
    """``look`` turns a frame into what is judged of it; what fails the ``gate`` gets no verdict.

    ``size`` is the width and height in which this classifier takes a whole picture, so that its
    source may have scaled it; None where it has to be judged from the picture itself. A picture
    that does not fit is a mistake if it is the camera's first, unless that is ``awaited``.
    """

    classifier: Classifies
    look: Callable[[Frame], Frame] | None = None
    gate: Gate | None = None
    size: tuple[int, int] | None = None
    awaited: bool = False

    def judge(self, frame: Frame) -> Verdict | Unusable:
        """The verdict on a frame as its source delivered it (MisfitError if that is too small)."""
        start = time.perf_counter()
        if self.look is not None:
            frame = self.look(frame)
        pixels = frame.fitting(self.size)
        if self.gate is not None:
            small = frame.fitting(SPEC.size)
            if small is None:
                small = image.prepare(frame.pixels, SPEC)
            quality = self.gate.check(small, frame.size)
            if not quality.usable:
                return Unusable(frame, quality)
            if self.size == SPEC.size:
                pixels = small
        prediction = self.classifier.classify(frame.pixels if pixels is None else pixels)
        return Verdict(frame, prediction, 1000 * (time.perf_counter() - start))


@runtime_checkable
class Judging(Protocol):
    """Each camera's view, of a model that may give way to another between two frames."""

    def view(self, camera: str) -> View:
        """How this camera's frames are judged, from the last call of ``renewed`` to the next."""

    def renewed(self) -> ModelChange | None:
        """Let another model take over if one is ready; what became of it, told once."""

    def news(self) -> AcceleratorState | None:
        """What became of the accelerator, told once; drives its recovery too."""


class Sole(Judging):
    """One view for all cameras, of one model for ever."""

    def __init__(self, view: View) -> None:
        self._view = view

    def view(self, camera: str) -> View:
        """See ``Judging.view``."""
        return self._view

    def renewed(self) -> None:
        """See ``Judging.renewed``."""

    def news(self) -> AcceleratorState | None:
        """See ``Judging.news``."""
        tells = getattr(self._view.classifier, "news", None)
        return tells() if tells else None
