"""The thread that alone touches an open camera, and the newest frame it left."""

import threading
from collections.abc import Callable

from corrosion_edge.device.capture.bell import Bell
from corrosion_edge.device.capture.patience import Patience
from corrosion_edge.device.capture.stillness import Stillness
from corrosion_edge.device.sources.source import Source
from corrosion_edge.errors import CorrosionEdgeError, SourceLost
from corrosion_edge.frame import Frame

__all__ = ["Reader"]


class Reader:
    """Opens a source with ``make`` and reads it until it fails or is told to stop.

    Only this thread reads and closes the source, for most drivers do not bear a close during a
    read. ``error`` is what ended it. ``progress`` is the time of ``clock`` at which something
    last came of it; a read that hangs leaves it behind. ``replaced`` counts frames that nobody
    took before the next one came. ``paced`` is the source's at its newest frame, false before it
    is open.
    """

    def __init__(
        self,
        make: Callable[[], Source],
        name: str,
        *,
        bell: Bell,
        still: Stillness,
        clock: Callable[[], float],
    ) -> None:
        self.name = name
        self.opened = self.paced = False
        self._period = 0.0
        self.error: BaseException | None = None
        self.replaced = 0
        self.progress = clock()
        self._make, self._bell, self._still, self._clock = make, bell, still, clock
        self._source: Source | None = None
        self._newest: Frame | None = None
        self._lock = threading.Lock()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"reads {name}", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread still runs, or hangs."""
        return self._thread.is_alive()

    def limits(self, patience: Patience) -> tuple[float, float]:
        """Seconds without progress after which it is late, and after which it hangs."""
        patience = patience.with_period(self._period)
        return patience.late_after, patience.hung_after if self.opened else patience.open_within

    def take(self) -> Frame | None:
        """The newest frame, if it was not taken yet."""
        with self._lock:
            frame, self._newest = self._newest, None
        return frame

    def stop(self) -> None:
        """Ask it to end after the read that it is in."""
        self._stopping = True

    def join(self, seconds: float) -> None:
        """Wait for its end, but no longer than so."""
        self._thread.join(seconds)

    def abandon(self) -> None:
        """Stop it, and free a read that hangs if the driver allows; it is not waited for."""
        self.stop()
        source = self._source
        if self.error is None and source is not None:
            source.interrupt()

    def _run(self) -> None:
        try:
            with self._make() as source:
                self._begin(source)
                self._pump(source)
            ended: BaseException = SourceLost(f"{self.name}: it is closed")
        except BaseException as error:  # the consumer must learn of any end
            ended = _bare(error) if isinstance(error, CorrosionEdgeError) else error
        self._source = None
        self.error = ended
        self._bell.ring()

    def _begin(self, source: Source) -> None:
        self._source, self.name = source, source.name
        self.paced, self._period = source.paced, source.period
        self.progress, self.opened = self._clock(), True

    def _pump(self, source: Source) -> None:
        while not self._stopping:
            frame = source.read()
            if frame is None:
                raise SourceLost(f"{self.name}: the stream ended")
            self.paced, self._period = source.paced, source.period
            if not self._stopping:  # one that was abandoned must not touch what others share
                self._offer(frame)

    def _offer(self, frame: Frame) -> None:
        self._still.see(frame)
        self.progress = self._clock()
        with self._lock:
            self.replaced += self._newest is not None
            self._newest = frame
        self._bell.ring()


def _bare(error: CorrosionEdgeError) -> CorrosionEdgeError:
    """The error without the frames that it came through.

    They hold the source, and this reader, which holds the error: decoder, threads and pictures of
    a lost camera would stay until a collection of cycles, which in a quiet watch may take hours.
    """
    error.__context__ = None
    return error.with_traceback(None)
