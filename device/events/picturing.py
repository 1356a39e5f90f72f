"""Which picture goes with an event that is no corrosion."""

from collections.abc import Mapping
from typing import Final

from corrosion_edge.device.events.event import Scene, iso
from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.events.tracker import Change

__all__ = ["EVERY", "Picturing"]

EVERY: Final = 3600.0
"""Seconds from one picture to the next of the same kind of event and camera, at least: a camera
that comes and goes must not fill a card, nor push out the pictures of corrosion."""

_LAST: Final = ("camera_degraded", "camera_lost", "model_changed")
_LEFT_OUT: Final = "left out: there is one of the same kind that is less than an hour older"


class Picturing:
    """Keeps each camera's newest scene, for events that come while there is none."""

    def __init__(self) -> None:
        self._scenes: dict[str, tuple[Stamp, Scene]] = {}
        self._newest = ""
        self._pictured: dict[tuple[str, str], float] = {}

    def see(self, camera: str, at: Stamp, scene: Scene) -> None:
        """The camera delivered a frame that got a verdict."""
        self._scenes[camera], self._newest = (at, scene), camera

    def of(self, camera: str, change: Change) -> tuple[Scene | None, Mapping[str, str]]:
        """The picture that the change is to have, if any, and what its details say of that.

        Corrosion has its own. What concerns every camera has the newest picture of any.
        """
        if change.span is not None:
            return change.scene, {}
        shown = camera or self._newest
        scene, told = self._seen(shown, change)
        if scene is None:
            return None, {}
        if not self._is_due(shown, change):
            return None, {"pictures": _LEFT_OUT}
        return scene, told if camera else {"picture_camera": shown, **told}

    def _seen(self, camera: str, change: Change) -> tuple[Scene | None, dict[str, str]]:
        if change.kind not in _LAST:
            return change.scene, {}
        if camera not in self._scenes:
            return None, {}
        at, scene = self._scenes[camera]
        return scene, {"picture_at": iso(at.wall)}

    def _is_due(self, camera: str, change: Change) -> bool:
        """Whether the last one is long enough ago; a recording that is looped runs backwards."""
        key, now = (camera, change.kind), change.at.seconds
        if key in self._pictured and abs(now - self._pictured[key]) < EVERY:
            return False
        self._pictured[key] = now
        return True
