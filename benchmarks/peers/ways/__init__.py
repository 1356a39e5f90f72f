"""Ways from a picture to a verdict, one module a runtime, each as its own examples write it.

A module has a class ``Way``. It is imported in a process of its own, so what it imports is part
of its start and of its memory.
"""

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Pixels", "Way"]

Pixels = npt.NDArray[np.uint8]


class Way(Protocol):
    """A network in a runtime. Each has been made from a model file and a number of threads."""

    runtime: str
    """Name and version of what runs the network."""

    def given(self, pixels: Pixels) -> Any:
        """What ``invoke`` takes, from a prepared picture, uint8 [h, w, 3]; not timed."""

    def invoke(self, given: Any) -> Any:
        """Hand over the input, run the network, take its outputs; timed."""

    def score(self, output: Any) -> float:
        """The probability of corrosion in what ``invoke`` gave; not timed."""

    def look(self, path: Path) -> tuple[str, float]:
        """The whole path, timed: a JPEG file to a label and the probability of corrosion."""

    def frame(self, picture: Any) -> tuple[str, float]:
        """The same of a camera's frame in memory, timed: PyAV's VideoFrame, in YUV 4:2:0."""
