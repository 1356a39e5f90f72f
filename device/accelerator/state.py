"""What became of the accelerator, in words for people and programs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from corrosion_edge.device.clock import local_time

__all__ = ["STATES", "AcceleratorState"]

STATES: Final = ("lost", "replaced", "recovered")
"""``lost``: no verdicts until it is back. ``replaced``: the processor answers in its place.
``recovered``: it answers again."""


@dataclass(frozen=True, slots=True)
class AcceleratorState:
    """What an accelerator came to, and when (``at`` carries a time zone).

    ``reason`` is a sentence. ``backend`` is what answers from here on, empty for nothing. So far
    it failed ``failures`` times, and ``tries`` were made since it failed last. ValueError for an
    unknown state, or a time without a zone.
    """

    accelerator: str
    state: str
    reason: str
    at: datetime
    backend: str = ""
    failures: int = 0
    tries: int = 0

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise ValueError(f"state: expected one of {STATES}, got {self.state!r}")
        if self.at.tzinfo is None:
            raise ValueError("at: expected a time with a time zone, got a naive one")

    @property
    def event(self) -> str:
        """The kind of event that it makes."""
        return f"accelerator_{self.state}"

    @property
    def answering(self) -> str:
        """What answers, in words also where nothing does."""
        return self.backend or f"nothing: the {self.accelerator} is away"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; backend is null where nothing answers."""
        return {
            "event": self.event,
            "time": local_time(self.at),
            "accelerator": self.accelerator,
            "reason": self.reason,
            "backend": self.backend or None,
            "failures": self.failures,
            "tries": self.tries,
        }

    def __str__(self) -> str:
        time = local_time(self.at)
        follows = f"; {self.backend} answers" if self.backend else "; no verdicts until it is back"
        return f"{time}  {self.accelerator} {self.state}: {self.reason}{follows}"
