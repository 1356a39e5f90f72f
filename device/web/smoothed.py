"""Whether there is corrosion, as the events have it, and since when; not one frame's opinion."""

from dataclasses import dataclass
from datetime import datetime

from corrosion_edge.device.clock_watch import ClockSet
from corrosion_edge.device.events.following import Following
from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.sinks import Result

__all__ = ["Smoothed", "Told"]


@dataclass(frozen=True, slots=True)
class Told:
    """``corrosion`` as ``Following.corroded`` has it, and since when it is so.

    Of corrosion ``since`` is the start of the running event. It carries a time zone.
    """

    corrosion: bool | None
    since: datetime


class Smoothed:
    """Follows each camera's evidence, and remembers when the answer changed.

    Not for several threads at once.
    """

    def __init__(self, following: Following) -> None:
        self._following = following
        self._told = {name: self._now(name) for name in following.names}

    def take(self, result: Result) -> None:
        """Take what the pipeline delivers."""
        self._following.take(result)
        if isinstance(result, ClockSet):
            self._put_right(result.at)
        for name, (before, _) in self._told.items():
            if self._following.corroded(name) is not before:
                self._told[name] = self._now(name)

    def told(self, camera: str) -> Told:
        """The answer of now (KeyError for no camera of that name)."""
        corrosion, since = self._told[camera]
        return Told(corrosion, since.wall)

    def _now(self, name: str) -> tuple[bool | None, Stamp]:
        began = self._following.began(name)
        return self._following.corroded(name), began or Stamp.now()

    def _put_right(self, at: Stamp) -> None:
        """What was stamped before the clock was set; the place in a recording is no such stamp."""
        for name, (corrosion, since) in self._told.items():
            if not since.recording:
                self._told[name] = corrosion, since.by(at)
