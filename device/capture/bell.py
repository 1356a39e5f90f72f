"""What threads ring when something happened, and one waits for."""

import threading

__all__ = ["Bell"]


class Bell:
    """Counts its rings, so that one which came before the wait is not missed.

    ::

        heard = bell.rings
        …                       # look whether there is something to do
        bell.wait(heard, 1.0)   # returns at once if it rang meanwhile
    """

    def __init__(self) -> None:
        self.rings = 0
        self._rung = threading.Condition()

    def ring(self) -> None:
        """Wake whoever waits."""
        with self._rung:
            self.rings += 1
            self._rung.notify_all()

    def wait(self, heard: int, seconds: float) -> None:
        """Wait for a ring after the first ``heard``, but never longer than ``seconds``."""
        with self._rung:
            self._rung.wait_for(lambda: self.rings != heard, max(0.0, seconds))
