"""A backend without an interpreter: answers by a rule, obeys the real one's, remembers."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from corrosion_edge.closing import Closing
from corrosion_edge.device.backends import Quantized
from corrosion_edge.errors import BackendError
from corrosion_edge.image import Preprocessing

__all__ = ["FakeBackend"]


class FakeBackend(Closing):
    """Calls a picture the more corroded the redder its mean is; fails where it is told to.

    ``fails_at`` holds the numbers of the calls, from 0, that raise BackendError, as a runtime or
    accelerator that breaks. ``history`` lists the outcome of every call.
    """

    name = "fake backend"

    def __init__(
        self, spec: Preprocessing | None = None, *, fails_at: frozenset[int] = frozenset()
    ) -> None:
        self._spec = spec or Preprocessing()
        self._fails_at = fails_at
        self.history: list[str] = []

    def run(self, pixels: npt.NDArray[np.uint8]) -> Mapping[str, Quantized]:
        """See ``Backend.run``."""
        expected = (1, self._spec.height, self._spec.width, 3)
        if pixels.dtype != np.uint8 or pixels.shape != expected:
            raise ValueError(f"pixels: expected uint8 {expected}, got {pixels.shape}")
        if self.history and self.history[-1] == "closed":
            raise BackendError("the fake backend is closed")
        if len(self.history) in self._fails_at:
            self.history.append("failed")
            raise BackendError("the fake backend was told to fail")
        self.history.append("ran")
        return self._answer(pixels.astype(np.float64))

    def close(self) -> None:
        """Remember that it was closed."""
        self.history.append("closed")

    def _answer(self, pixels: npt.NDArray[np.float64]) -> dict[str, Quantized]:
        redness = (pixels[..., 0].mean() - pixels[..., 2].mean()) / 255
        p = int(np.clip(np.rint(256 * redness), 0, 255))
        log_odds = int(np.clip(np.rint((redness - 0.5) * 100), -128, 127))
        return {
            "scores": Quantized(np.array([[255 - p, p]], np.uint8), 1 / 256, 0),
            "map": Quantized(np.full((1, 7, 7, 1), log_odds, np.int8), 0.1, 0),
        }
