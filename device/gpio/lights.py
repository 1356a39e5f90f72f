"""What each light says: pure logic from what a watch delivers, with a clock that is given."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from corrosion_edge.device.accelerator.state import AcceleratorState
from corrosion_edge.device.capture.state import CameraState
from corrosion_edge.device.events.settings import Detection
from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.events.tracker import Tracker
from corrosion_edge.device.sinks import Result
from corrosion_edge.device.verdict import ModelChange, Unreadable, Unusable, Verdict

__all__ = ["Lights", "Settings", "Shown"]

Settings = Callable[[float, tuple[float, float] | None], Detection]
"""Smoothing and hysteresis for a threshold and a band of unsure scores."""

_GONE: Final = ("lost", "frozen", "ended")


@dataclass(frozen=True, slots=True)
class Shown:
    """Which lights are to be on; ``healthy`` ones blink."""

    corrosion: bool
    unknown: bool
    healthy: bool


class _Camera:
    """When it last gave a verdict, and one that is evidence; None for never."""

    def __init__(self, settings: Detection) -> None:
        self.settings = settings
        self.tracker = Tracker(settings)
        self.verdict: float | None = None
        self.evidence: float | None = None
        self.gone, self.usable = False, True

    def judge(self, at: Stamp, score: float, now: float) -> None:
        self.gone = False
        self.verdict = now
        if not self.settings.is_unsure(score):
            self.evidence = now
        self._noted([change.kind for change in self.tracker.verdict(at, score)])

    def unusable(self, at: Stamp, reason: str) -> None:
        self._noted([change.kind for change in self.tracker.unusable(at, reason)])

    def became(self, state: CameraState) -> None:
        self.gone = state.state in _GONE
        self.tracker.camera_state(Stamp.now(), state.state, state.reason)

    def tells(self, now: float, patience: float) -> bool:
        """Whether there was evidence lately, for or against."""
        return self.usable and not self.gone and _lately(self.evidence, now, patience)

    def judges(self, now: float, patience: float) -> bool:
        """Whether there was any verdict lately."""
        return not self.gone and _lately(self.verdict, now, patience)

    def _noted(self, kinds: Sequence[str]) -> None:
        if "unusable" in kinds or "usable" in kinds:
            self.usable = "usable" in kinds


class Lights:
    """The lights of a watch over ``cameras``.

    Corrosion is that of the events: begun and not ended, at any camera. The watch cannot tell
    where any camera gave no evidence for ``patience`` seconds, is lost, frozen or unusable, or the
    accelerator is away; that a camera says nothing new does not put corrosion out. It is healthy
    while every camera gives verdicts, sure or not. Not for several threads at once.
    """

    def __init__(
        self,
        cameras: Sequence[str],
        settings: Settings,
        threshold: float,
        band: tuple[float, float] | None,
        patience: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._names = tuple(cameras)
        self._settings, self._patience, self._clock = settings, patience, clock
        self._begin(settings(threshold, band))

    def take(self, result: Result) -> None:
        """Take what the pipeline delivers; kinds that are unknown here are passed over."""
        if isinstance(result, Verdict):
            at, score = Stamp.of(result.frame), result.prediction.score
            self._camera(result.frame.camera).judge(at, score, self._clock())
        elif isinstance(result, Unusable):
            at = Stamp.of(result.frame)
            self._camera(result.frame.camera).unusable(at, str(result.quality))
        elif isinstance(result, Unreadable):
            self._camera("").unusable(Stamp.now(), result.error)
        elif isinstance(result, CameraState):
            self._camera(result.camera).became(result)
        elif isinstance(result, AcceleratorState):
            self._away = result.state == "lost"
        elif isinstance(result, ModelChange) and result.accepted and result.new is not None:
            self._begin(self._settings(result.new.threshold, result.band))

    def shown(self) -> Shown:
        """Which lights are to be on now."""
        now, cameras = self._clock(), self._cameras.values()
        tells = all(one.tells(now, self._patience) for one in cameras)
        judges = all(one.judges(now, self._patience) for one in cameras)
        return Shown(
            corrosion=any(one.tracker.active for one in cameras),
            unknown=self._away or not tells,
            healthy=judges and not self._away,
        )

    def _begin(self, settings: Detection) -> None:
        """Anew, as scores of two models are not compared, nor are they on one accelerator."""
        self._away = False
        self._cameras = {name: _Camera(settings) for name in self._names}

    def _camera(self, name: str) -> _Camera:
        """One that is alone may be called otherwise, or not at all."""
        return self._cameras[name if name in self._cameras else self._names[0]]


def _lately(moment: float | None, now: float, patience: float) -> bool:
    return moment is not None and now - moment <= patience
