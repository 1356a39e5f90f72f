"""What a pipeline tells of its own progress, to whoever restarts it when it hangs."""

from typing import Protocol

from corrosion_edge.device.verdict import Verdict

__all__ = ["NoPulse", "Pulse"]


class Pulse(Protocol):
    """Is told by the pipeline's own thread, and only while that makes progress."""

    def beat(self) -> None:
        """The main loop came round, or waits on purpose."""

    def waiting(self, name: str) -> None:
        """The main loop waits for frames of the source called so."""

    def judged(self, verdict: Verdict) -> None:
        """A verdict is out."""


class NoPulse(Pulse):
    """Nobody is told."""

    def beat(self) -> None:
        """See ``Pulse.beat``."""

    def waiting(self, name: str) -> None:
        """See ``Pulse.waiting``."""

    def judged(self, verdict: Verdict) -> None:
        """See ``Pulse.judged``."""
