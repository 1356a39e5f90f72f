"""Each camera's state as it is now: what the judging thread says, what a broker gets, and when."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from corrosion_edge.device.accelerator.runs_on import RunsOn
from corrosion_edge.device.accelerator.state import AcceleratorState
from corrosion_edge.device.capture.state import GONE, CameraState
from corrosion_edge.device.clock import local_time
from corrosion_edge.device.events.following import Following
from corrosion_edge.device.sinks import Result
from corrosion_edge.device.taking import ByCamera, Taker
from corrosion_edge.device.verdict import Unreadable, Unusable, Verdict

__all__ = ["EVERY", "SOONEST", "Live", "Running"]

EVERY: Final = 10.0
"""Seconds between two messages of a camera whose verdict stays."""

SOONEST: Final = 1.0
"""Seconds between two messages of a camera at least, though its verdict changes."""


@dataclass(frozen=True, slots=True)
class Running:
    """The model in use, the SHA-256 in hex of the network that answers, and what really runs it."""

    model: str
    sha256: str
    runs_on: RunsOn

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; the accelerator's reason is told of the watch as a whole."""
        return {
            "model": self.model,
            "model_sha256": self.sha256,
            "runs_on": self.runs_on.name,
            "stand_in": self.runs_on.stand_in,
            "accelerator_up": self.runs_on.up if self.runs_on.accelerator else None,
        }


def _blank() -> dict[str, Any]:
    names = ("verdict", "label", "score", "threshold", "unsure", "unusable", "tile", "backend",
             "latency_ms")  # fmt: skip
    return dict.fromkeys(names)


@dataclass(slots=True)
class _Camera:
    """``sent`` is when, ``told`` what the last message said in short."""

    state: str = "starting"
    reason: str = ""
    at: datetime | None = None
    said: dict[str, Any] = field(default_factory=_blank)
    news: bool = True
    sent: float = float("-inf")
    told: tuple[Any, ...] = ()

    def short(self, running: Running, corrosion: bool | None) -> tuple[Any, ...]:
        said = self.said["verdict"], self.said["unusable"]
        return self.state, *said, running.runs_on.backend, corrosion


class Live(Taker):
    """The newest of each camera, and what judges.

    ``take`` is quick; any thread may call any method.
    ``running`` is asked for each message, so that it names what runs then; ``following`` says
    whether there is corrosion, smoothed as the events are.
    """

    def __init__(
        self,
        cameras: Sequence[str],
        running: Callable[[], Running],
        following: Following,
        every: float = EVERY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.names = tuple(cameras)
        self.running, self._every, self._clock = running, every, clock
        self._lock = threading.Lock()
        self._cameras = ByCamera(cameras, _Camera)
        self._following = following
        self._told: Running | None = None

    def take(self, result: Result) -> None:
        """Take what the pipeline delivers; kinds that are unknown here are passed over."""
        with self._lock:
            super().take(result)
            self._following.take(result)

    def due(self) -> list[tuple[str, dict[str, Any]]]:
        """The cameras with a message that is due, and what it says; they count as sent."""
        with self._lock:
            now, running = self._clock(), self.running()
            ready = [name for name in self.names
                     if self._is_due(name, now, running)]  # fmt: skip
            return [(name, self._message(name, now, running)) for name in ready]

    def watch_due(self) -> dict[str, Any] | None:
        """What the watch as a whole runs on, if that is news; it counts as sent."""
        running = self.running()
        with self._lock:
            if running == self._told:
                return None
            self._told = running
        runs = running.runs_on
        return {"time": local_time(datetime.now(UTC)), "word": runs.word,
                **running.to_dict(), **runs.to_dict()}  # fmt: skip

    def again(self) -> None:
        """Every state is due at once: the broker may have forgotten it."""
        with self._lock:
            self._told = None
            for one in self._cameras:
                one.news, one.sent = True, float("-inf")

    def _unusable(self, result: Unusable) -> None:
        said = {**_blank(), "verdict": "unusable", "unusable": result.quality.word}
        self._seen(result.frame.camera, result.frame.taken_at, said)

    def _unreadable(self, result: Unreadable) -> None:
        said = {**_blank(), "verdict": "unusable", "unusable": "unreadable"}
        self._seen(result.camera, None, said)

    def _accelerator(self, state: AcceleratorState) -> None:
        """Where nothing judges, no verdict stands."""
        for one in self._cameras:
            one.news = True
            if state.state == "lost":
                one.said, one.at = _blank(), state.at

    def _verdict(self, verdict: Verdict) -> None:
        said = verdict.prediction
        fields = {**_blank(), "verdict": said.word, **said.to_dict()}
        fields["latency_ms"] = round(verdict.latency_ms, 3)
        self._seen(verdict.frame.camera, verdict.frame.taken_at, fields)

    def _seen(self, camera: str, at: datetime | None, said: dict[str, Any]) -> None:
        """A camera that delivers runs, whatever was last said of it, but for being late."""
        one = self._cameras.meant(camera)
        if one is None:
            return
        one.said, one.at, one.news = said, at, True
        if one.state == "starting":
            one.state = "running"

    def _camera_state(self, state: CameraState) -> None:
        one = self._cameras.meant(state.camera)
        if one is None:
            return
        one.state, one.reason, one.news = state.state, state.reason, True
        if state.state in GONE:
            one.said, one.at = _blank(), state.since

    def _is_due(self, name: str, now: float, running: Running) -> bool:
        one, corrosion = self._cameras[name], self._following.corroded(name)
        wait = SOONEST if one.short(running, corrosion) != one.told else self._every
        return one.news and now - one.sent >= wait

    def _message(self, name: str, now: float, running: Running) -> dict[str, Any]:
        one, corrosion = self._cameras[name], self._following.corroded(name)
        one.sent, one.told, one.news = now, one.short(running, corrosion), False
        return {
            "camera": name,
            "time": one.at and local_time(one.at),
            "state": one.state,
            "reason": one.reason,
            "corrosion": corrosion,
            **one.said,
            **running.to_dict(),
        }
