"""Interpreters behind one seam: pixels in, the network's raw integers out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from corrosion_edge.bundle import Bundle
from corrosion_edge.closing import Closing

__all__ = ["Backend", "Quantized", "open_backend"]


@dataclass(frozen=True, slots=True)
class Quantized:
    """A raw output: integers of any shape, real value = ``scale`` * (integer - ``zero_point``)."""

    raw: npt.NDArray[Any]
    scale: float
    zero_point: int

    def __post_init__(self) -> None:
        if not np.issubdtype(self.raw.dtype, np.integer):
            raise ValueError(f"raw: expected integers, got {self.raw.dtype}")
        if not self.scale > 0:
            raise ValueError(f"scale: expected more than 0, got {self.scale}")

    @property
    def real(self) -> npt.NDArray[np.float64]:
        """The real values; integers are widened before the zero point is taken off."""
        return (self.raw.astype(np.int64) - self.zero_point) * np.float64(self.scale)


class Backend(Closing, Protocol):
    """An interpreter that holds one model; a context manager."""

    name: str
    """What it really runs on: runtime, version, device, threads."""

    def run(self, pixels: npt.NDArray[np.uint8]) -> Mapping[str, Quantized]:
        """Run uint8 [1, h, w, 3] through the network: ``scores`` [1, 2] and ``map`` [1, h, w, 1].

        Raises ValueError on another shape or type, BackendError if the interpreter fails.
        """

    def close(self) -> None:
        """Give the interpreter's memory back."""


def open_backend(bundle: Bundle, *, threads: int | None = None) -> Backend:
    """Open the CPU interpreter on a bundle's network; ``threads`` None takes all usable cores."""
    from corrosion_edge.device.backends.litert import LiteRtBackend

    return LiteRtBackend(bundle, threads=threads)
