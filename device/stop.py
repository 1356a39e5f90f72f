"""Ending on Ctrl-C or SIGTERM: at once while waiting, but never between a verdict and its line."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Stop", "on_hangup"]


class Stop:
    """Turns a signal into KeyboardInterrupt, put off to the end of a ``deferred`` block.

    A second signal is not put off, so that a block that hangs can be left.
    """

    def __init__(self) -> None:
        self.requested = False
        self._deferring = False

    def request(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """Ask for the end; usable as a signal handler."""
        if self._deferring and not self.requested:
            self.requested = True
            return
        raise KeyboardInterrupt

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """A block that is finished before a request takes effect."""
        self._deferring = True
        try:
            yield
        finally:
            self._deferring = False
        if self.requested:
            raise KeyboardInterrupt

    @contextmanager
    def on(self, *signals: signal.Signals) -> Iterator["Stop"]:
        """Handle these signals inside the block (main thread only), as before after it."""
        before = {each: signal.signal(each, self.request) for each in signals}
        try:
            yield self
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


@contextmanager
def on_hangup(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Call ``handler`` on SIGHUP inside the block (main thread only), as services understand it.

    With a terminal as standard input SIGHUP means that it was closed, and still ends the program.
    """
    if os.isatty(0) or signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        yield
        return
    before = signal.signal(signal.SIGHUP, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
