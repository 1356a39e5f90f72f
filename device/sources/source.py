"""The seam between cameras and the rest: one verb, ``read``."""

from collections.abc import Callable
from typing import Final, Protocol

from corrosion_edge.closing import Closing
from corrosion_edge.errors import ImageError
from corrosion_edge.frame import Frame

__all__ = ["WAIT_STEP", "PhotoError", "Source", "nobody"]

WAIT_STEP: Final = 0.5
"""Seconds after which whoever waits for long says that it still waits."""


def nobody() -> None:
    """Tell nobody."""


class PhotoError(ImageError):
    """One picture of many that cannot be read; the next may be fine.

    ``name`` is its file, ``index`` its place in the source, ``camera`` as that of a ``Frame``.
    """

    def __init__(self, message: str, name: str, index: int, camera: str = "") -> None:
        super().__init__(message)
        self.name, self.index, self.camera = name, index, camera


class Source(Closing, Protocol):
    """Where frames come from; a context manager. Drivers inherit from it.

    ``name`` is what a person calls it, without any password, today and at the next start.
    ``contents`` says what is in it, where that is known at the start. ``live`` says that time
    passes whether or not somebody reads. ``dropped`` counts frames that nobody took in time; it
    stays 0 where nothing is live. ``is_video`` says that it is a recorded video. ``paced`` says
    that the driver keeps the rate that was asked of it, as far as its frames show. ``period`` is
    the time from one frame to the next, in seconds, that a driver granted; 0 where that is not
    known. ``on_wait`` is called every ``WAIT_STEP`` seconds, by the thread that reads, while a
    source waits for a frame.
    """

    name: str
    contents: str = ""
    live: bool = False
    dropped: int = 0
    paced: bool = False
    period: float = 0.0
    is_video: bool = False
    on_wait: Callable[[], None] = staticmethod(nobody)

    def dropped_by_camera(self) -> dict[str, int]:
        """``dropped`` by the cameras' names; '' for a source that is one camera."""
        return {"": self.dropped}

    def read(self) -> Frame | None:
        """The next frame, or None when the recording has ended.

        Raises SourceLost when it delivers no more though it should, and PhotoError for one
        bad picture, after which reading goes on. A live source never ends with None.
        """

    def keeps_rate(self, camera: str) -> bool:
        """Whether the rate that was asked of this camera, '' if it is alone, is kept by it."""
        return self.paced

    def put_back(self, frame: Frame, seconds: float) -> bool:
        """Deliver this frame, the last one, again after so many seconds; whether that is done.

        Where others' frames come meanwhile, as a source that is waited for keeps them back.
        """
        return False

    def interrupt(self) -> bool:
        """Free a read that hangs in another thread; whether the driver bears that.

        A freed read raises or returns; the source is of no further use but to be closed.
        """
        return False

    def close(self) -> None:
        """Give the camera or file back; a second call does nothing."""
