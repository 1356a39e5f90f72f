"""A recording that is decoded by a thread of its own, a little ahead of what is judged."""

import math
import queue
import threading
import time
from typing import Final

from corrosion_edge.device.sources.source import WAIT_STEP, Source
from corrosion_edge.errors import SourceLost
from corrosion_edge.frame import Frame

__all__ = ["Ahead"]

_DEPTH: Final = 3
"""Frames that wait at most: enough to even out what they cost, and 18 MB at 1080p."""


_GIVE_UP: Final = 2.0
"""Seconds after which a read that hangs, on a share that went away, is left alone."""


class Ahead(Source):
    """The frames of a recording in order, none dropped, decoded while the last one is judged.

    Its errors come where they would have come. Only its thread touches the recording. Where no
    frame is to be had for ``hung_after`` seconds it is lost, as a pipe whose writer stopped is.
    """

    def __init__(self, source: Source, hung_after: float = math.inf) -> None:
        if source.live:
            raise ValueError(f"{source.name}: expected a recording, got a live source")
        self.name, self.paced = source.name, source.paced
        self._source, self._hung_after = source, hung_after
        self._waiting: queue.Queue[Frame | BaseException | None] = queue.Queue(_DEPTH)
        self._stopping = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name=f"decodes {self.name}", daemon=True)
        self._thread.start()

    def read(self) -> Frame | None:
        """See ``Source.read``."""
        if self._ended:
            return None
        found = self._next()
        self._ended = not isinstance(found, Frame)
        if isinstance(found, BaseException):
            raise found
        return found

    def close(self) -> None:
        """See ``Source.close``; a read that hangs is left to its thread after two seconds."""
        self._stopping.set()
        self._ended = True
        end = time.monotonic() + _GIVE_UP
        while self._thread.is_alive() and time.monotonic() < end:
            self._emptied()
            self._thread.join(0.05)

    def _next(self) -> Frame | BaseException | None:
        end = time.monotonic() + self._hung_after
        while (rest := end - time.monotonic()) > 0:
            try:
                return self._waiting.get(timeout=min(rest, WAIT_STEP))
            except queue.Empty:
                self.on_wait()
        return SourceLost(
            f"{self.name}: no frame for {self._hung_after:g} s; it is still being written, or its "
            "drive hangs (--hung-after)"
        )

    def _emptied(self) -> None:
        while not self._waiting.empty():
            self._waiting.get()

    def _run(self) -> None:
        try:
            with self._source as source:
                while not self._stopping.is_set() and (frame := source.read()) is not None:
                    self._waiting.put(frame)
        except BaseException as error:  # the consumer must learn of any end
            self._waiting.put(error)
        else:
            self._waiting.put(None)
