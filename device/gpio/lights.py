"""What each light says: pure logic from what a watch delivers, with a clock that is given."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from corrosion_edge.device.accelerator.state import AcceleratorState
from corrosion_edge.device.capture.state import GONE, CameraState
from corrosion_edge.device.events.settings import Detection, Settings
from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.events.tracker import Tracker
from corrosion_edge.device.taking import ByCamera, Taker
from corrosion_edge.device.verdict import ModelChange, Unreadable, Unusable, Verdict

__all__ = ["Lights", "Shown"]


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
        self.gone = state.state in GONE
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


class Lights(Taker):
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

    def shown(self) -> Shown:
        """Which lights are to be on now."""
        now, cameras = self._clock(), self._cameras
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
        self._cameras = ByCamera(self._names, lambda: _Camera(settings))

    def _verdict(self, verdict: Verdict) -> None:
        if camera := self._cameras.meant(verdict.frame.camera):
            camera.judge(Stamp.of(verdict.frame), verdict.prediction.score, self._clock())

    def _unusable(self, result: Unusable) -> None:
        if camera := self._cameras.meant(result.frame.camera):
            camera.unusable(Stamp.of(result.frame), str(result.quality))

    def _unreadable(self, result: Unreadable) -> None:
        if camera := self._cameras.meant(result.camera):
            camera.unusable(Stamp.now(), result.error)

    def _camera_state(self, state: CameraState) -> None:
        if camera := self._cameras.meant(state.camera):
            camera.became(state)

    def _accelerator(self, state: AcceleratorState) -> None:
        self._away = state.state == "lost"

    def _model(self, change: ModelChange) -> None:
        if change.accepted and change.new is not None:
            self._begin(self._settings(change.new.threshold, change.band))


def _lately(moment: float | None, now: float, patience: float) -> bool:
    return moment is not None and now - moment <= patience
