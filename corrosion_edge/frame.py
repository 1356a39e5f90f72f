"""One picture on its way from a source to a verdict."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

__all__ = ["Frame", "require_rgb"]


def require_rgb(pixels: npt.NDArray[np.uint8]) -> None:
    """Refuse anything but a uint8 [h, w, 3] array with at least one pixel (ValueError)."""
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise ValueError(
            f"pixels: expected uint8 [h, w, 3], got {pixels.dtype} {list(pixels.shape)}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A picture with its place in the source.

    ``pixels`` is uint8 [h, w, 3], RGB, 0..255. ``index`` counts the frames the source has
    delivered, from 0. ``taken_at`` is the wall-clock time of capture and carries a time zone.
    ``name`` is the file behind the frame, empty for a camera. ``position`` is the time in the
    recording in seconds, None for a live source. ``monotonic`` is the monotonic clock's time of
    capture in seconds, for durations; None where nobody read it. ``camera`` is the user's name
    for one of several cameras, else empty. ``scaled`` is the whole picture in the size that the
    source was asked for beside it, uint8 [h, w, 3] RGB, where it has one.
    """

    pixels: npt.NDArray[np.uint8]
    index: int
    taken_at: datetime
    name: str = ""
    position: float | None = None
    monotonic: float | None = None
    camera: str = ""
    scaled: npt.NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        require_rgb(self.pixels)
        if self.scaled is not None:
            require_rgb(self.scaled)
        if self.index < 0:
            raise ValueError(f"index: expected 0 or more, got {self.index}")
        if self.taken_at.tzinfo is None:
            raise ValueError("taken_at: expected a time with a time zone, got a naive one")

    @classmethod
    def now(
        cls,
        pixels: npt.NDArray[np.uint8],
        index: int,
        name: str = "",
        position: float | None = None,
        scaled: npt.NDArray[np.uint8] | None = None,
    ) -> "Frame":
        """A frame taken at this moment (UTC)."""
        now, monotonic = datetime.now(UTC), time.monotonic()
        return cls(pixels, index, now, name, position, monotonic, scaled=scaled)
