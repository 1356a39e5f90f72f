"""A camera without hardware: it does what its script says, and remembers."""

import threading
import time
from collections.abc import Iterable
from typing import Literal

import numpy as np
import numpy.typing as npt

from corrosion_edge.device.sources.source import PhotoError, Source
from corrosion_edge.errors import SourceLost
from corrosion_edge.frame import Frame

__all__ = ["FakeCamera", "Step"]

Step = Literal["frame", "repeat", "hang", "vanish", "broken"]


class FakeCamera(Source):
    """A scripted camera.

    The steps, one a read: ``frame`` delivers a new picture, ``repeat`` the last one again (a
    frozen camera), ``hang`` returns only when closed or interrupted, ``vanish`` raises SourceLost
    now and at every later read, ``broken`` is an unreadable picture (in recordings and folders
    only). After the script a recording ends with None, and a live camera is lost.

    With ``stubborn`` a hanging read cannot be interrupted, as with most drivers.
    ``size`` is (width, height) in pixels; a frame takes ``period`` seconds; ``spacing`` is the
    time between frames in the recording in seconds, None for no recording. ``history`` lists
    what happened, in order.
    """

    def __init__(
        self,
        script: Iterable[Step],
        *,
        live: bool = True,
        size: tuple[int, int] = (64, 48),
        period: float = 0.0,
        spacing: float | None = None,
        stubborn: bool = False,
    ) -> None:
        self.name = "fake camera"
        self.live = live
        self.history: list[str] = []
        self._script = iter(script)
        self._size = size
        self._period = period
        self._spacing = spacing
        self._stubborn = stubborn
        self._index = 0
        self._picture: npt.NDArray[np.uint8] | None = None
        self._lost = False
        self._closed = threading.Event()
        self._free = threading.Event()

    def read(self) -> Frame | None:
        """See ``Source.read``."""
        if self._lost or self._closed.is_set():
            raise SourceLost(f"{self.name}: it vanished")
        step = next(self._script, "end")
        self.history.append(step)
        if step in ("frame", "repeat"):
            return self._frame(new=step == "frame")
        if step == "broken":
            raise self._broken()
        if step == "hang":
            self._free.wait()
        if step == "end" and not self.live:
            return None
        self._lost = True
        raise SourceLost(f"{self.name}: it vanished")

    def interrupt(self) -> bool:
        """See ``Source.interrupt``."""
        self.history.append("interrupted")
        if not self._stubborn:
            self._free.set()
        return not self._stubborn

    def close(self) -> None:
        """See ``Source.close``; it also frees a hanging read."""
        if not self._closed.is_set():
            self.history.append("closed")
        self._closed.set()
        self._free.set()

    def _frame(self, *, new: bool) -> Frame:
        time.sleep(self._period)
        if new or self._picture is None:
            noise = np.random.default_rng(self._index)
            self._picture = noise.integers(0, 256, (*self._size[::-1], 3), np.uint8)
        position = None if self._spacing is None else self._index * self._spacing
        return Frame.now(self._picture, self._take_index(), position=position)

    def _broken(self) -> PhotoError:
        index = self._take_index()
        name = f"picture {index}"
        return PhotoError(f"{name}: not a picture, or damaged", name, index)

    def _take_index(self) -> int:
        self._index += 1
        return self._index - 1
