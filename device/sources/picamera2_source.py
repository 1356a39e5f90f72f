"""The cameras of a Raspberry Pi, through picamera2.

picamera2 names its formats by the order of the bits in a little-endian word, so its ``RGB888``
lies in memory as blue, green, red, and its ``BGR888`` as red, green, blue (Picamera2 manual,
appendix A). This module asks for ``BGR888`` and no other place turns colours round.

Where scaled pictures are wanted, the image processor delivers each one a second time, smaller, in
its low-resolution stream (``lores``), which on a Pi 4 can only be YUV.
"""

import importlib.util
import queue
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from corrosion_edge.device.sources.low_stream import LowStream, low_size
from corrosion_edge.device.sources.source import Source
from corrosion_edge.device.sources.v4l2 import OURSELVES, holder, locker, unseen
from corrosion_edge.device.sources.wish import NOTHING, Wish
from corrosion_edge.errors import NoSuchSource, SourceError, SourceLost
from corrosion_edge.frame import Frame

__all__ = ["SIZE", "Picamera2Source", "attached"]

SIZE: Final = (1024, 768)
"""Width and height asked for without a wish, in pixels: 4:3 like the sensors, so that no side is
cut off."""

_FORMAT: Final = "BGR888"  # red, green, blue in memory
_SHORTEST: Final = 1 / 60  # seconds between frames; a virtual camera has no pace of its own
_MICROSECOND: Final = 1e-6  # in which libcamera states the duration of a frame

_held: Final[set[int]] = set()  # the cameras that this process has open, or hangs in


def attached() -> list[int]:
    """The numbers of the attached cameras, empty without picamera2; USB cameras are left out.

    libcamera lists USB cameras too, but picamera2 gets no RGB from them: V4L2 reads those.
    Raises SourceError if picamera2 is installed but does not load.
    """
    if importlib.util.find_spec("picamera2") is None:
        return []
    # Picamera2(n) opens the n-th of this list; "Num" counts as libcamera does, not as picamera2.
    cameras = enumerate(_picamera2().global_camera_info())
    return [number for number, camera in cameras if "/usb" not in camera.get("Id", "")]


class Picamera2Source(Source):
    """Camera ``number`` as picamera2 counts, in RGB of the size it really grants.

    What is wanted ``scaled`` is made from the low-resolution stream, where that would be smaller
    than the main one. Raises SourceError if picamera2 is missing, the camera is absent or busy, or
    its pixels do not come as asked for: libcamera may hand out another format in silence.
    """

    live = True

    def __init__(self, number: int = 0, wish: Wish = NOTHING) -> None:
        self.name = f"picamera2:{number}"
        self.period = 1 / wish.rate if wish.rate else 0.0  # until a frame tells
        self._wish = wish
        self._number = number
        self._index = 0
        self._next = 0.0
        self._low: LowStream | None = None
        self._told: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._camera = _opened(self.name, number)
        try:
            self._shape = self._configured()
            self._camera.start()
        except SourceError:
            self.close()
            raise
        except Exception as error:  # picamera2 raises many kinds
            self.close()
            raise SourceError(f"{self.name}: cannot be started ({error})") from None

    def read(self) -> Frame:
        """See ``Source.read``."""
        time.sleep(max(0.0, self._next - time.monotonic()))
        self._next = time.monotonic() + _SHORTEST
        try:
            (pixels, *low), told = self._captured()
        except SourceLost:
            raise
        except Exception as error:
            raise SourceLost(f"{self.name}: delivers no more ({error})") from None
        try:
            scaled = self._low.scaled(low[0]) if self._low else ()
        except SourceError as error:
            raise SourceError(f"{self.name}: {error}") from None
        self.period = told.get("FrameDuration", 0) * _MICROSECOND
        self.paced = self._wish.is_kept(self.period)
        frame = Frame.now(self._checked(pixels), self._index, scaled=scaled)
        self._index += 1
        return frame

    def interrupt(self) -> bool:
        """See ``Source.interrupt``: nothing of the driver is touched, only the waiting ends."""
        self._told.put(None)
        return True

    def close(self) -> None:
        """See ``Source.close``."""
        self._camera.close()
        _held.discard(self._number)

    def _captured(self) -> Any:
        """The streams' arrays and the metadata, or SourceLost once it is interrupted.

        Told by a signal: ``wait=SECONDS`` is a time limit in newer picamera2 only, and in that of
        Raspberry Pi OS 12's first years (0.3.12 to 0.3.18) it means to wait for ever.
        """
        job = self._camera.capture_arrays(self._streams, wait=False, signal_function=self._told.put)
        if self._told.get() is None:
            raise SourceLost(f"{self.name}: no frame came; check the ribbon cable")
        return job.get_result()

    def _configured(self) -> tuple[int, int, int]:
        size = self._wish.resolution or SIZE
        wanted: dict[str, Any] = {"main": {"size": size, "format": _FORMAT}}
        if low := low_size(size, self._wish.scaled):
            wanted["lores"] = {"size": low, "format": LowStream.FORMAT}
        if self._wish.rate:
            wanted["controls"] = {"FrameRate": self._wish.rate}
        asked = self._camera.create_video_configuration(**wanted)
        colours = str(asked.get("colour_space"))
        self._camera.configure(asked)
        granted = self._camera.camera_configuration()
        self._require(granted["main"], _FORMAT, "use another camera")
        if low:
            self._require(granted["lores"], LowStream.FORMAT, "add --no-scale-at-source")
            self._low = LowStream(granted["lores"], colours, self._wish.scaled)
        width, height = granted["main"]["size"]
        return height, width, 3

    @property
    def _streams(self) -> list[str]:
        return ["main", "lores"] if self._low else ["main"]

    def _require(self, granted: Mapping[str, Any], wanted: str, way_out: str) -> None:
        if granted["format"] != wanted:
            raise SourceError(
                f"{self.name}: the camera delivers {granted['format']} where {wanted} was asked "
                f"for; {way_out}"
            )

    def _checked(self, pixels: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        if pixels.dtype != np.uint8 or pixels.shape != self._shape:
            raise SourceError(
                f"{self.name}: expected uint8 pixels of {self._shape}, the camera delivers "
                f"{pixels.dtype} of {pixels.shape}; use another camera"
            )
        return pixels


def _opened(name: str, number: int) -> Any:
    picamera2 = _picamera2()
    count = len(picamera2.global_camera_info())
    if number >= count:
        raise SourceError(f"{name}: no such camera, {count} found; check the ribbon cable")
    try:
        camera = picamera2(number)
    except Exception as error:  # picamera2 raises RuntimeError with libcamera's text, and others
        reason = _reason(error)
        if "busy" in reason.lower() or "acquire" in reason.lower():
            raise SourceError(_busy(name, number)) from None
        raise SourceError(f"{name}: cannot be opened ({reason})") from None
    _held.add(number)
    return camera


def _busy(name: str, number: int) -> str:
    """The sentence for a camera that is used already.

    Who uses a camera has locked its media devices. Whoever has only looked for cameras keeps media
    devices open too, so that is a guess.
    """
    devices = list(Path("/dev").glob("media*"))
    user = OURSELVES if number in _held else locker(devices)
    if not user and (other := holder(devices)):
        user = f"a program, perhaps {other}, which has a media device open"
    return f"{name}: the camera is in use by {user or unseen()}; end that first"


def _reason(error: BaseException) -> str:
    """The first cause: picamera2 wraps it, and its own text says only that opening failed."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error)


def _picamera2() -> Any:
    try:
        from picamera2 import Picamera2
    except ModuleNotFoundError as error:
        raise NoSuchSource(
            f"the package {error.name!r} is missing; run 'sudo apt install python3-picamera2' and "
            "make the virtual environment with --system-site-packages"
        ) from None
    except Exception as error:  # a NumPy of another generation gives ValueError, and others
        raise NoSuchSource(f"picamera2 is installed but does not load ({error})") from None
    return Picamera2
