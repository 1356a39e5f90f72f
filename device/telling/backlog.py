"""How far a consumer is behind, for whoever looks while a watch runs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

__all__ = ["Backlog", "Tells"]


@dataclass(frozen=True, slots=True)
class Backlog:
    """A ``consumer`` of events or live states, and ``to`` whom they go, without secrets.

    ``reached`` is the number of the last event that is done with, 0 before the first, None where
    that is not known yet, or no events are delivered. ``error`` is what fails now, empty for
    nothing, ``failing_since`` when that began, with a time zone.
    """

    consumer: str
    to: str
    reached: int | None = None
    error: str = ""
    failing_since: datetime | None = None


Tells = Callable[[], Backlog]
"""Says how it is now; any thread may ask."""
