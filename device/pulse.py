"""What a pipeline tells of its own progress, to whoever restarts it when it hangs."""

from typing import Protocol

from corrosion_edge.device.verdict import Unusable, Verdict

__all__ = ["NoPulse", "Pulse"]


class Pulse(Protocol):
    """Is told by the pipeline's own thread, and only while that makes progress."""

    def beat(self) -> None:
        """The main loop came round, or waits on purpose."""

    def waiting(self, name: str) -> None:
        """The main loop waits for frames of the source called so."""

    def judged(self, result: Verdict | Unusable) -> None:
        """A verdict is out, or a frame that got none."""

    def away(self, reason: str) -> None:
        """A frame got no verdict, as the accelerator is away."""


class NoPulse(Pulse):
    """Nobody is told."""

    def beat(self) -> None:
        """See ``Pulse.beat``."""

    def waiting(self, name: str) -> None:
        """See ``Pulse.waiting``."""

    def judged(self, result: Verdict | Unusable) -> None:
        """See ``Pulse.judged``."""

    def away(self, reason: str) -> None:
        """See ``Pulse.away``."""
