"""Each camera's state as it is now: what the judging thread says, what a broker gets, and when."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from corrosion_edge.device.capture.state import CameraState
from corrosion_edge.device.sinks import Result
from corrosion_edge.device.verdict import Unreadable, Unusable, Verdict

__all__ = ["EVERY", "SOONEST", "Live", "Running"]

EVERY: Final = 10.0
"""Seconds between two messages of a camera whose verdict stays."""

SOONEST: Final = 1.0
"""Seconds between two messages of a camera at least, though its verdict changes."""

_GONE: Final = ("lost", "frozen", "ended")


@dataclass(frozen=True, slots=True)
class Running:
    """The model in use, the SHA-256 of its network in hex, and what really runs it."""

    model: str
    sha256: str
    runs_on: str


def _blank() -> dict[str, Any]:
    names = ("verdict", "label", "score", "threshold", "unsure", "unusable", "tile", "latency_ms")
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

    @property
    def short(self) -> tuple[Any, ...]:
        return self.state, self.said["verdict"], self.said["unusable"]


class Live:
    """The newest of each camera. ``take`` is quick; any thread may call any method.

    ``running`` is asked for each message, so that it names what runs then.
    """

    def __init__(
        self,
        cameras: Sequence[str],
        running: Callable[[], Running],
        every: float = EVERY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.names = tuple(cameras)
        self.running, self._every, self._clock = running, every, clock
        self._lock = threading.Lock()
        self._cameras = {name: _Camera() for name in cameras}

    def take(self, result: Result) -> None:
        """Take what the pipeline delivers; kinds that are unknown here are passed over."""
        with self._lock:
            if isinstance(result, Verdict):
                self._judged(result)
            elif isinstance(result, Unusable):
                said = {**_blank(), "verdict": "unusable", "unusable": result.quality.word}
                self._seen(result.frame.camera, result.frame.taken_at, said)
            elif isinstance(result, Unreadable):
                said = {**_blank(), "verdict": "unusable", "unusable": "unreadable"}
                self._seen("", None, said)
            elif isinstance(result, CameraState):
                self._became(result)

    def due(self) -> list[tuple[str, dict[str, Any]]]:
        """The cameras with a message that is due, and what it says; they count as sent."""
        with self._lock:
            now = self._clock()
            ready = [name for name, one in self._cameras.items() if self._is_due(one, now)]
            return [(name, self._message(name, now)) for name in ready]

    def again(self) -> None:
        """Every camera's state is due at once: the broker may have forgotten it."""
        with self._lock:
            for one in self._cameras.values():
                one.news, one.sent = True, float("-inf")

    def _judged(self, verdict: Verdict) -> None:
        said = verdict.prediction
        fields = {**_blank(), "verdict": said.word, **said.to_dict()}
        fields["latency_ms"] = round(verdict.latency_ms, 3)
        self._seen(verdict.frame.camera, verdict.frame.taken_at, fields)

    def _seen(self, camera: str, at: datetime | None, said: dict[str, Any]) -> None:
        """A camera that delivers runs, whatever was last said of it, but for being late."""
        one = self._named(camera)
        if one is None:
            return
        one.said, one.at, one.news = said, at, True
        if one.state == "starting":
            one.state = "running"

    def _became(self, state: CameraState) -> None:
        one = self._named(state.camera)
        if one is None:
            return
        one.state, one.reason, one.news = state.state, state.reason, True
        if state.state in _GONE:
            one.said, one.at = _blank(), state.since

    def _named(self, camera: str) -> _Camera | None:
        """One camera alone is meant by any name: states call it as its source."""
        return self._cameras.get(self.names[0] if len(self.names) == 1 else camera)

    def _is_due(self, one: _Camera, now: float) -> bool:
        wait = SOONEST if one.short != one.told else self._every
        return one.news and now - one.sent >= wait

    def _message(self, name: str, now: float) -> dict[str, Any]:
        one = self._cameras[name]
        one.sent, one.told, one.news = now, one.short, False
        running = self.running()
        return {
            "camera": name,
            "time": one.at.astimezone().isoformat(timespec="milliseconds") if one.at else None,
            "state": one.state,
            "reason": one.reason,
            **one.said,
            "model": running.model,
            "model_sha256": running.sha256,
            "runs_on": running.runs_on,
        }
