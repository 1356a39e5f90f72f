"""Whether there is corrosion at each camera, as the events have it, without a store of them."""

from collections.abc import Sequence

from corrosion_edge.device.accelerator.state import AcceleratorState
from corrosion_edge.device.capture.state import CameraState
from corrosion_edge.device.events.settings import Settings
from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.events.tracker import Tracker
from corrosion_edge.device.taking import ByCamera, Taker
from corrosion_edge.device.verdict import ModelChange, Unreadable, Unusable, Verdict

__all__ = ["Following"]


class Following(Taker):
    """A tracker for each camera, fed as the recorder of a store feeds its own.

    With another model it begins anew, but for what became of the cameras. Not for several threads
    at once.
    """

    def __init__(
        self,
        cameras: Sequence[str],
        settings: Settings,
        threshold: float,
        band: tuple[float, float] | None,
    ) -> None:
        self.names = tuple(cameras)
        self._settings = settings
        self._trackers = ByCamera(cameras, lambda: Tracker(settings(threshold, band)))
        self._away = False

    def corroded(self, camera: str) -> bool | None:
        """``True`` from ``corrosion_began`` to ``corrosion_ended``, whatever is seen meanwhile.

        Otherwise ``False``, or None where nobody can tell: before enough evidence, while the
        camera or the accelerator is away, the pictures cannot be used, or the model is unsure.
        """
        found = self._trackers[camera].corroded
        return None if self._away and not found else found

    def began(self, camera: str) -> Stamp | None:
        """When the corrosion that goes on there began; None where there is none."""
        return self._trackers[camera].began

    def _verdict(self, verdict: Verdict) -> None:
        if (tracker := self._trackers.meant(verdict.frame.camera)) is not None:
            tracker.verdict(Stamp.of(verdict.frame), verdict.prediction.score)

    def _unusable(self, result: Unusable) -> None:
        if (tracker := self._trackers.meant(result.frame.camera)) is not None:
            tracker.unusable(Stamp.of(result.frame), str(result.quality))

    def _unreadable(self, result: Unreadable) -> None:
        if (tracker := self._trackers.meant(result.camera)) is not None:
            tracker.unusable(Stamp.now(), result.error)

    def _camera_state(self, state: CameraState) -> None:
        if (tracker := self._trackers.meant(state.camera)) is not None:
            tracker.camera_state(Stamp.now(), state.state, state.reason)

    def _accelerator(self, state: AcceleratorState) -> None:
        self._away = state.state == "lost"

    def _model(self, change: ModelChange) -> None:
        if change.accepted and change.new is not None:
            settings = self._settings(change.new.threshold, change.band)
            self._trackers.replace(lambda tracker: tracker.anew(settings))
            self._away = False
