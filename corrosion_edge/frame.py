"""One picture on its way from a source to a verdict."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

__all__ = ["Deferred", "Frame", "Picture", "pixels_of", "require_rgb"]

Pixels = npt.NDArray[np.uint8]


def require_rgb(pixels: Pixels) -> None:
    """Refuse anything but a uint8 [h, w, 3] array with at least one pixel (ValueError)."""
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise ValueError(
            f"pixels: expected uint8 [h, w, 3], got {pixels.dtype} {list(pixels.shape)}"
        )


class Deferred:
    """A picture of ``size`` (width, height in pixels) that ``make`` makes once it is asked for.

    Any thread may ask. ``make`` gives uint8 [h, w, 3] RGB; ValueError, when it is asked for, if
    that is something else.
    """

    def __init__(self, size: tuple[int, int], make: Callable[[], Pixels]) -> None:
        self.size = size
        self._make: Callable[[], Pixels] | None = make
        self._pixels: Pixels | None = None
        self._lock = threading.Lock()

    def pixels(self) -> Pixels:
        """Uint8 [h, w, 3] RGB, the same array each time; nobody writes into it."""
        with self._lock:
            if self._pixels is None:
                assert self._make is not None
                made = self._make()
                require_rgb(made)
                if made.shape[1::-1] != self.size:
                    raise ValueError(f"expected a picture of {self.size}, got {made.shape[1::-1]}")
                self._pixels, self._make = made, None  # what it was made from may be large
            return self._pixels


Picture = Pixels | Deferred
"""Uint8 [h, w, 3] RGB, or what makes it."""


def pixels_of(picture: Picture) -> Pixels:
    """Uint8 [h, w, 3] RGB, made now if it was not yet."""
    return picture.pixels() if isinstance(picture, Deferred) else picture


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A picture with its place in the source.

    ``picture`` is uint8 [h, w, 3], RGB, 0..255, or makes it when ``pixels`` is read. ``index``
    counts the frames the source has delivered, from 0. ``taken_at`` is the wall-clock time of
    capture and carries a time zone. ``name`` is the file behind the frame, empty for a camera.
    ``position`` is the time in the recording in seconds, None for a live source. ``monotonic``
    is the monotonic clock's time of capture in seconds, for durations; None where nobody read
    it. ``camera`` is the user's name for one of several cameras, else empty. ``scaled`` holds the
    whole picture in those of the sizes asked for beside it that the source has, each uint8
    [h, w, 3] RGB.
    """

    picture: Picture
    index: int
    taken_at: datetime
    name: str = ""
    position: float | None = None
    monotonic: float | None = None
    camera: str = ""
    scaled: tuple[Pixels, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.picture, Deferred):
            require_rgb(self.picture)
        for small in self.scaled:
            require_rgb(small)
        if self.index < 0:
            raise ValueError(f"index: expected 0 or more, got {self.index}")
        if self.taken_at.tzinfo is None:
            raise ValueError("taken_at: expected a time with a time zone, got a naive one")

    @property
    def pixels(self) -> Pixels:
        """Uint8 [h, w, 3], RGB, 0..255; nobody writes into it."""
        return pixels_of(self.picture)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, which cost nothing."""
        if isinstance(self.picture, Deferred):
            return self.picture.size
        return self.picture.shape[1], self.picture.shape[0]

    def fitting(self, size: tuple[int, int] | None) -> Pixels | None:
        """What its source scaled to this width and height, if it did."""
        return next((small for small in self.scaled if small.shape[1::-1] == size), None)

    @classmethod
    def now(
        cls,
        picture: Picture,
        index: int,
        name: str = "",
        position: float | None = None,
        scaled: tuple[Pixels, ...] = (),
    ) -> "Frame":
        """A frame taken at this moment (UTC)."""
        now, monotonic = datetime.now(UTC), time.monotonic()
        return cls(picture, index, now, name, position, monotonic, scaled=scaled)
