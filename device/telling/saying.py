"""One line for what fails, one for its end; not one for every try."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from corrosion_edge.device.lines import say

__all__ = ["Saying"]


class Saying:
    """Says what is the matter with ``name`` when that changes, and when it is over."""

    def __init__(
        self,
        name: str,
        out: Callable[[str], None] = say,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._out, self._clock = out, clock
        self._lock = threading.Lock()
        self._reason = ""
        self._since: float | None = None

    @property
    def trouble(self) -> tuple[str, datetime | None]:
        """What fails now and since when, by the clock of now; empty and None where all is well."""
        with self._lock:
            if not self._reason or self._since is None:
                return "", None
            return self._reason, datetime.now(UTC) - timedelta(seconds=self._clock() - self._since)

    def failed(self, reason: str) -> None:
        """Say the reason, unless it was the last thing said; an empty one is never said."""
        with self._lock:
            if self._since is None:
                self._since = self._clock()
            if reason and reason != self._reason:
                self._reason = reason
                self._out(f"warning: {self.name}: {reason}; trying again")

    def well(self) -> None:
        """Say that it is over, if anything was said."""
        with self._lock:
            if self._reason and self._since is not None:
                seconds = self._clock() - self._since
                self._out(f"{self.name}: works again after {seconds:.0f} s")
            self._reason, self._since = "", None

    def note(self, line: str) -> None:
        """Say something that is no failure to be mended."""
        self._out(f"warning: {self.name}: {line}")
