"""What the doctor says of one thing."""

from dataclasses import asdict, dataclass
from typing import Final

__all__ = ["OK", "PROBLEM", "STATES", "UNKNOWN", "WARNING", "Finding"]

OK: Final = "ok"
WARNING: Final = "warning"
PROBLEM: Final = "problem"
UNKNOWN: Final = "unknown"

STATES: Final = (OK, WARNING, PROBLEM, UNKNOWN)
"""``problem``: watch cannot work so. ``warning``: it works, but not well or not for long."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: the thing, its state (see ``STATES``), what was found, and what to do.

    ``advice`` is empty only where all is well.
    """

    topic: str
    state: str
    found: str
    advice: str = ""

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise ValueError(f"state: expected one of {STATES}, got {self.state!r}")
        if not (self.topic and self.found):
            raise ValueError(f"expected a topic and what was found, got {self}")
        if self.state != OK and not self.advice:
            raise ValueError(f"{self.topic}: expected advice for a {self.state}")

    def to_dict(self) -> dict[str, str]:
        """The fields, for JSON."""
        return asdict(self)
