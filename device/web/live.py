"""The state of a watch as it is now, for whoever looks; written by the judging thread."""

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from corrosion_edge.device.accelerator.state import AcceleratorState
from corrosion_edge.device.capture.quality import Quality
from corrosion_edge.device.capture.state import FAILED, CameraState
from corrosion_edge.device.clock_watch import ClockSet
from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.sinks import Result
from corrosion_edge.device.taking import ByCamera, Taker
from corrosion_edge.device.verdict import ModelChange, Unreadable, Unusable, Verdict
from corrosion_edge.device.web.series import Latencies, Scores, Stretch
from corrosion_edge.device.web.smoothed import Smoothed, Told
from corrosion_edge.frame import Frame
from corrosion_edge.prediction import LABELS, UNSURE, Prediction

__all__ = ["OUTCOMES", "Live", "Shot", "Status"]

OUTCOMES: Final = (*LABELS, UNSURE, "unusable", "unreadable")
"""What becomes of a frame that is looked at."""

_QUIET: Final = 60.0  # seconds without a look that are always allowed
_GAPS: Final = 3.0  # and so many times the usual time between two


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """The newest frame that was looked at; its pixels are shared, nobody writes into them.

    ``serial`` counts the shots of the camera from 1. Either a prediction or a quality is there.
    """

    serial: int
    frame: Frame
    prediction: Prediction | None
    quality: Quality | None


@dataclass(frozen=True, slots=True)
class Status:
    """A camera at one moment.

    ``word`` is corrosion, no-corrosion, unsure, unusable, unreadable, lost, frozen, degraded,
    ended, starting, or away, where the accelerator is; ``since`` when it became that, ``reason`` a
    sentence where there is one.
    ``state`` is that of ``CameraState``. ``outcomes`` counts frames by ``OUTCOMES``.
    ``looked`` is the last look on the monotonic clock in seconds, None before the first.
    ``smoothed`` is what the events make of all frames, None where nobody follows them.
    ``latency`` holds p50 and p95 in seconds, None before the first verdict.
    """

    name: str
    word: str
    since: datetime
    reason: str
    state: str
    smoothed: Told | None
    outcomes: Mapping[str, int]
    failures: int
    shot: Shot | None
    looked: float | None
    latency: Sequence[float] | None
    latency_sum: float
    buckets: Sequence[tuple[str, float]]

    @property
    def up(self) -> bool:
        """Whether the camera delivers."""
        return self.state == "running"


@dataclass(slots=True, eq=False)
class _Camera:
    word: str = "starting"
    since: Stamp = field(default_factory=Stamp.now)
    reason: str = ""
    state: str = "starting"
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: int = 0
    serial: int = 0
    shot: Shot | None = None
    looked: float | None = None
    gap: float = 0.0
    scores: Scores = field(default_factory=Scores)
    latencies: Latencies = field(default_factory=Latencies)

    def say(self, word: str, reason: str = "") -> None:
        if word != self.word:
            self.word, self.since = word, Stamp.now()
        self.reason = reason

    def look(self, now: float) -> None:
        """Remember when, and the usual time between two looks."""
        if self.looked is not None:
            self.gap += (now - self.looked - self.gap) / 4
        self.looked = now


class Live(Taker):
    """Bounded however long the watch runs; every method may be called by any thread.

    ``cameras`` are the names; what has another name belongs to the only camera, or to none.
    ``smoothed`` follows the evidence of all frames; without it only the newest frame is told of.
    """

    def __init__(
        self,
        cameras: Sequence[str],
        clock: Callable[[], float] = time.monotonic,
        smoothed: Smoothed | None = None,
    ) -> None:
        self.cameras = tuple(cameras)
        self._smoothed = smoothed
        self.clock = clock
        self.started = clock()
        self._lock = threading.Lock()
        self._by_name = ByCamera(cameras, _Camera)
        self._away = ""

    def take(self, result: Result) -> None:
        """Take a result; one of a kind that is not known is left out."""
        with self._lock:
            super().take(result)
            if self._smoothed is not None:
                self._smoothed.take(result)

    def status(self, name: str) -> Status:
        """A camera as it is now (KeyError if there is none of that name)."""
        with self._lock:
            camera = self._by_name[name]
            latencies = camera.latencies
            smoothed = self._smoothed.told(name) if self._smoothed else None
            return Status(
                name, camera.word, camera.since.wall, camera.reason, camera.state, smoothed,
                {outcome: camera.outcomes[outcome] for outcome in OUTCOMES},
                camera.failures, camera.shot, camera.looked,
                latencies.percentiles((50, 95)), latencies.total, latencies.buckets(),
            )  # fmt: skip

    def scores(self, name: str, seconds: float) -> list[Stretch]:
        """A camera's scores of the last seconds (KeyError)."""
        with self._lock:
            return self._by_name[name].scores.since(self.clock(), seconds)

    def shot(self, name: str) -> Shot | None:
        """The newest shot of a camera, None before the first (KeyError)."""
        with self._lock:
            return self._by_name[name].shot

    def quiet(self) -> float:
        """Seconds since any camera was looked at, or since the start."""
        looks = [c.looked for c in self._by_name if c.looked is not None]
        return max(0.0, self.clock() - max(looks, default=self.started))

    @property
    def healthy(self) -> bool:
        """Whether a frame was looked at of late: within 60 s, or three times the usual gap."""
        gap = max(camera.gap for camera in self._by_name)
        return self.quiet() <= max(_QUIET, _GAPS * gap)

    def _verdict(self, verdict: Verdict) -> None:
        said = verdict.prediction
        if (camera := self._looked(verdict.frame, said, None)) is None:
            return
        camera.outcomes[said.word] += 1
        camera.scores.add(self.clock(), said.score)
        if math.isfinite(verdict.latency_ms):
            camera.latencies.add(verdict.latency_ms / 1000)
        camera.say(said.word)

    def _unusable(self, result: Unusable) -> None:
        if camera := self._looked(result.frame, None, result.quality):
            camera.outcomes["unusable"] += 1
            camera.say("unusable", str(result.quality))

    def _looked(
        self, frame: Frame, said: Prediction | None, quality: Quality | None
    ) -> _Camera | None:
        if (camera := self._by_name.meant(frame.camera)) is None:
            return None
        camera.look(self.clock())
        camera.serial += 1
        camera.shot = Shot(camera.serial, frame, said, quality)
        if camera.state == "starting":  # files and folders tell no states
            camera.state = "running"
        return camera

    def _unreadable(self, result: Unreadable) -> None:
        if camera := self._by_name.meant(result.camera):
            camera.look(self.clock())
            camera.outcomes["unreadable"] += 1
            camera.say("unreadable", result.error)

    def _camera_state(self, state: CameraState) -> None:
        if (camera := self._by_name.meant(state.camera)) is None:
            return
        camera.state, camera.failures = state.state, state.failures
        if state.state in FAILED or state.state == "ended":
            camera.say(state.state, state.reason)
        elif state.state == "running" and camera.word in FAILED:
            camera.say("away", self._away) if self._away else camera.say("starting", state.reason)

    def _accelerator(self, state: AcceleratorState) -> None:
        lost = state.state == "lost"
        self._judges(f"the {state.accelerator} is away: {state.reason}" if lost else "")

    def _model(self, change: ModelChange) -> None:
        if change.accepted:
            self._judges("")

    def _clock_was_set(self, change: ClockSet) -> None:
        for camera in self._by_name:
            camera.since = camera.since.by(change.at)

    def _judges(self, away: str) -> None:
        """Nothing judges, for that reason, and then no camera's verdict is one on now; or again."""
        self._away = away
        for camera in self._by_name:
            if away and camera.word not in (*FAILED, "ended"):
                camera.say("away", away)
            elif not away and camera.word == "away":
                camera.say("starting")
