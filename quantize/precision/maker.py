"""Makes conversions of one network by their names."""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from corrosion_edge.quantize.convert import Conversions, conversions, finished
from corrosion_edge.quantize.precision.convert import as_precision
from corrosion_edge.quantize.precision.names import PLAIN

__all__ = ["Maker"]


@dataclass(frozen=True, eq=False)
class Maker:
    """The network as it is delivered, a Keras model, and uint8 [n, h, w, 3] to calibrate with."""

    deliverable: Any
    calibration: npt.NDArray[np.uint8]

    @functools.cached_property
    def conversions(self) -> Conversions:
        """The network in float and in plain int8, converted once; BackendError if it cannot be."""
        return conversions(self.deliverable, self.calibration)

    def make(self, name: str) -> bytes:
        """The finished flatbuffer of one of ``COMPARED``; BackendError if it cannot be made."""
        if name == PLAIN:
            return finished(self.conversions.integer)
        return as_precision(self.deliverable, name, self.calibration)
