"""What is the matter with a camera, in words for people and programs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from corrosion_edge.device.clock import local_time

__all__ = ["FAILED", "GONE", "STATES", "CameraState", "Observer", "in_words"]

STATES: Final = {
    "starting": "",
    "running": "camera_recovered",
    "degraded": "camera_degraded",
    "frozen": "camera_degraded",
    "lost": "camera_lost",
    "ended": "",
}
"""What a camera can come to, and the event that the change to it makes.

``starting``: open, no frame yet. ``running``: as it should; an event only after a failure.
``degraded``: frames are late. ``lost``: given up, and tried again. ``frozen``: the same picture
over and over, and tried again. ``ended``: closed."""

FAILED: Final = ("degraded", "lost", "frozen")
"""The states in which a camera does not deliver as it should."""

GONE: Final = ("lost", "frozen", "ended")
"""The states in which what it showed last says nothing of now."""


@dataclass(frozen=True, slots=True)
class CameraState:
    """What a camera came to, and when.

    ``reason`` is a sentence without a password. ``since`` carries a time zone. ``previous`` is
    the state before. So far ``frames`` were delivered, ``dropped`` replaced by newer ones or
    withheld as frozen, and the camera failed ``failures`` times; ``abandoned`` threads still
    hang in its driver.
    """

    camera: str
    state: str
    reason: str
    since: datetime
    previous: str = "starting"
    frames: int = 0
    dropped: int = 0
    failures: int = 0
    abandoned: int = 0

    def __post_init__(self) -> None:
        for name in ("state", "previous"):
            if getattr(self, name) not in STATES:
                known = ", ".join(STATES)
                raise ValueError(f"{name}: expected one of {known}, got {getattr(self, name)!r}")
        if self.since.tzinfo is None:
            raise ValueError("since: expected a time with a time zone, got a naive one")
        for name in ("frames", "dropped", "failures", "abandoned"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}: expected 0 or more, got {getattr(self, name)}")

    @property
    def event(self) -> str:
        """The state's name, or ``recovered`` where a failed camera runs again."""
        recovered = self.state == "running" and self.previous in FAILED
        return "recovered" if recovered else self.state

    @property
    def kind(self) -> str:
        """The kind of event that this is, see ``STATES``; '' where nobody needs to be told."""
        return STATES[self.state] if self.event != "running" else ""

    @property
    def notable(self) -> bool:
        """Whether somebody must be told: a failure or its end, not a usual start or close."""
        return bool(self.kind)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: event, camera, state, reason, time, counts."""
        return {
            "event": self.kind or f"camera_{self.state}",
            "camera": self.camera,
            "state": self.state,
            "reason": self.reason,
            "time": local_time(self.since),
            "frames": self.frames,
            "dropped": self.dropped,
            "failures": self.failures,
            "abandoned": self.abandoned,
        }

    def __str__(self) -> str:
        time = local_time(self.since)
        return f"{time}  {self.camera}: {self.event}: {self.reason}"


def in_words(error: BaseException, name: str) -> str:
    """The reason for a state: the error, without the source's name in front."""
    return (str(error) or type(error).__name__).removeprefix(f"{name}: ")


Observer = Callable[[CameraState], None]
"""Is told every change of state, in the thread that reads the frames."""
