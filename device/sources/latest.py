"""The newest frame of a live source, and never a wait without an end."""

import threading
import time

import numpy as np

from corrosion_edge.device.sources.source import WAIT_STEP, Source
from corrosion_edge.errors import SourceLost
from corrosion_edge.frame import Frame

__all__ = ["DEADLINE", "FROZEN_AFTER", "LatestFrame"]

DEADLINE = 10.0
"""Seconds without a frame after which a live source counts as lost."""

FROZEN_AFTER = 60.0
"""Seconds of one and the same picture after which a live source counts as frozen."""

_CLOSE_WITHIN = 2.0  # seconds that the reader gets to finish
_STRIDE = 8  # every 8th pixel each way is compared: a sensor's noise changes some of them


class LatestFrame(Source):
    """Reads a live source in a thread of its own and keeps only the newest frame.

    A frame that is replaced before anyone took it is counted in ``dropped``. Whatever ends the
    reader, error or exception, is raised by the next ``read``. The thread alone reads and closes
    the source, for most drivers do not bear a close during a read; one that hangs past the
    deadline is left to the end of the process.
    """

    live = True

    def __init__(
        self, source: Source, *, deadline: float = DEADLINE, frozen_after: float = FROZEN_AFTER
    ) -> None:
        self.name = source.name
        self.dropped = 0
        self._source = source
        self._deadline = deadline
        self._still = _Stillness(frozen_after)
        self._changed = threading.Condition()
        self._newest: Frame | None = None
        self._end: BaseException | None = None
        self._closing = False
        self._reader = threading.Thread(target=self._run, name=f"reads {self.name}", daemon=True)
        self._reader.start()

    def read(self) -> Frame:
        """The newest frame that was not read yet.

        Raises SourceLost, naming the source, if none comes within the deadline or the same
        picture comes for too long, and the reader's own error if it ended.
        """
        with self._changed:
            self._wait()
            frame, self._newest = self._newest, None
            if frame is not None:
                return frame
            if self._end is not None:
                raise self._end
        raise SourceLost(
            f"{self.name}: no frame for {self._deadline:g} s; check the camera's cable or network"
        )

    def close(self) -> None:
        """Stop the reader, waiting for it no longer than two seconds."""
        self._closing = True
        self._reader.join(_CLOSE_WITHIN)

    def _wait(self) -> None:
        """Wait for a frame or an end, telling every second that it waits."""
        end = time.monotonic() + self._deadline
        while (rest := end - time.monotonic()) > 0:
            if self._changed.wait_for(lambda: self._newest or self._end, min(rest, WAIT_STEP)):
                return
            self.on_wait()

    def _run(self) -> None:
        lost: BaseException = SourceLost(f"{self.name}: it is closed")
        try:
            self._pump()
        except BaseException as error:  # the consumer must learn of any end
            lost = error
        with self._changed:
            self._end = lost
            self._changed.notify_all()
        self._source.close()

    def _pump(self) -> None:
        while not self._closing:
            frame = self._source.read()
            if frame is None:
                raise SourceLost(f"{self.name}: the stream ended")
            if self._still.too_long(frame):
                raise SourceLost(
                    f"{self.name}: frozen, the same picture for {self._still.limit:g} s"
                )
            self._offer(frame)

    def _offer(self, frame: Frame) -> None:
        with self._changed:
            if self._newest is not None:
                self.dropped += 1
            self._newest = frame
            self._changed.notify_all()


class _Stillness:
    """How long a source has been delivering one and the same picture."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._first: Frame | None = None
        self._since = 0.0

    def too_long(self, frame: Frame) -> bool:
        if self._first is None or not _same(self._first, frame):
            self._first, self._since = frame, time.monotonic()
        return time.monotonic() - self._since >= self.limit


def _same(one: Frame, other: Frame) -> bool:
    return np.array_equal(one.pixels[::_STRIDE, ::_STRIDE], other.pixels[::_STRIDE, ::_STRIDE])
