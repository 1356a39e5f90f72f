"""Makes conversions of one network by their names."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from corrosion_edge.quantize.convert import convert
from corrosion_edge.quantize.precision.convert import as_precision
from corrosion_edge.quantize.precision.names import PLAIN

__all__ = ["Maker"]


@dataclass(frozen=True, slots=True, eq=False)
class Maker:
    """The network as it is delivered, a Keras model, and uint8 [n, h, w, 3] to calibrate with."""

    deliverable: Any
    calibration: npt.NDArray[np.uint8]

    def make(self, name: str) -> bytes:
        """The finished flatbuffer of one of ``COMPARED``; BackendError if it cannot be made."""
        if name == PLAIN:
            return convert(self.deliverable, self.calibration)
        return as_precision(self.deliverable, name, self.calibration)
