"""Interpreters behind one seam: pixels in, the network's raw outputs out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from corrosion_edge.bundle import Bundle
from corrosion_edge.closing import Closing
from corrosion_edge.device.accelerator.state import AcceleratorState
from corrosion_edge.errors import BackendError

__all__ = ["Backend", "Output", "Quantized", "Real", "Telling", "open_backend"]

_STEP: Final = 1 / 256  # of an integer model's scores
_MOST_STEPS: Final = 2**31 - 1  # that a manifest holds


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

    @property
    def steps(self) -> npt.NDArray[np.int64]:
        """What golden outputs are compared by: the integers themselves."""
        return self.raw.astype(np.int64)


@dataclass(frozen=True, slots=True)
class Real:
    """An output of real numbers, float32 of any shape; BackendError where one is no number."""

    raw: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.raw.dtype != np.float32:
            raise ValueError(f"raw: expected float32, got {self.raw.dtype}")
        if not np.isfinite(self.raw).all():
            raise BackendError("the network answered with something that is no finite number")

    @property
    def real(self) -> npt.NDArray[np.float64]:
        """The values."""
        return self.raw.astype(np.float64)

    @property
    def steps(self) -> npt.NDArray[np.int64]:
        """What golden outputs are compared by: the values in steps of 1/256, as int8's scores."""
        return np.rint(np.clip(self.real / _STEP, -_MOST_STEPS, _MOST_STEPS)).astype(np.int64)


Output = Quantized | Real
"""Either has ``raw``, ``real`` (the values) and ``steps`` (for golden outputs)."""


class Backend(Closing, Protocol):
    """An interpreter that holds one model; a context manager."""

    name: str
    """What it really runs on: runtime, version, device, threads."""

    def run(self, pixels: npt.NDArray[np.uint8]) -> Mapping[str, Output]:
        """Run uint8 [1, h, w, 3] through the network: ``scores`` [1, 2] and ``map`` [1, h, w, 1].

        Raises ValueError on another shape or type, BackendError if the interpreter fails.
        """

    def close(self) -> None:
        """Give the interpreter's memory back."""


@runtime_checkable
class Telling(Protocol):
    """A backend whose accelerator may be lost and found again."""

    accelerator: str
    """What the accelerator is called."""

    state: AcceleratorState | None
    """What became of it last; None while it never failed."""

    def news(self) -> AcceleratorState | None:
        """What became of it, each state once."""


def open_backend(
    bundle: Bundle, *, threads: int | None = None, kernels: str = "xnnpack"
) -> Backend:
    """Open the CPU interpreter on a bundle's network; see ``litert.LiteRtBackend``."""
    from corrosion_edge.device.backends.litert import LiteRtBackend

    return LiteRtBackend(bundle, threads=threads, kernels=kernels)
