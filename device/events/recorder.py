"""All cameras' trackers before one log: verdicts and states in, events out."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from corrosion_edge.closing import Closing
from corrosion_edge.device.clock import is_synchronised
from corrosion_edge.device.events.event import Asset, Happening, ModelName, Scene
from corrosion_edge.device.events.settings import Detection
from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.events.summary import Minutes, Summary
from corrosion_edge.device.events.tracker import Change, Tracker
from corrosion_edge.frame import Frame
from corrosion_edge.prediction import Prediction

__all__ = ["Log", "Recorder"]


class Log(Closing, Protocol):
    """Takes what happened, in order, and summaries."""

    def append(self, happening: Happening) -> None:
        """Take an event."""

    def summarise(self, summary: Summary) -> None:
        """Take a summary."""


class _Camera:
    def __init__(self, name: str, settings: Detection) -> None:
        self.tracker = Tracker(settings)
        self.minutes = Minutes(name)


class Recorder(Closing):
    """Turns what cameras deliver into events, and closes the log at its own end.

    ``assets`` names what each camera looks at. Made, it says ``started``, with a ``reason`` where
    there is more to tell; closed, it ends what is open and says ``stopped``. Not for several
    threads at once.
    """

    def __init__(
        self,
        log: Log,
        settings: Detection,
        model: ModelName,
        assets: Mapping[str, Asset],
        *,
        now: Callable[[], Stamp] = Stamp.now,
        reason: str = "",
    ) -> None:
        self._log = log
        self._settings = settings
        self._model = model
        self._assets = dict(assets)
        self._now = now
        self._cameras = {name: _Camera(name, settings) for name in assets}
        self._closed = False
        self._report("", Change("started", now(), reason))

    def verdict(self, camera: str, frame: Frame, prediction: Prediction) -> None:
        """Take a verdict; ``frame.pixels`` are kept for a while and must not be changed."""
        at, one = Stamp.of(frame), self._camera(camera)
        unsure = self._settings.is_unsure(prediction.score)
        self._minute(one.minutes.verdict(at, prediction, unsure))
        scene = Scene(frame.pixels, prediction)
        self._report(camera, *one.tracker.verdict(at, prediction.score, scene))

    def unusable(self, camera: str, reason: str, at: Stamp | None = None) -> None:
        """Take a frame that shows nothing, and why."""
        at, one = at or self._now(), self._camera(camera)
        self._minute(one.minutes.unusable(at))
        self._report(camera, *one.tracker.unusable(at, reason))

    def camera_state(
        self, camera: str, state: str, reason: str = "", at: Stamp | None = None
    ) -> None:
        """Take what became of a camera: a key of ``STATES`` (ValueError), and why."""
        tracker = self._camera(camera).tracker
        self._report(camera, *tracker.camera_state(at or self._now(), state, reason))

    def model_changed(
        self,
        model: ModelName,
        settings: Detection,
        reason: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Go on with another model: scores of two models are not compared, so what is open ends."""
        self._end_all("the model was changed")
        self._model, self._settings = model, settings
        self._cameras = {name: _Camera(name, settings) for name in self._cameras}
        self._report("", Change("model_changed", self._now(), reason), details=details)

    def model_refused(self, reason: str, details: Mapping[str, Any] | None = None) -> None:
        """Another model was put in place and is not used: all goes on."""
        self._report("", Change("model_refused", self._now(), reason), details=details)

    def accelerator(self, kind: str, reason: str, details: Mapping[str, Any]) -> None:
        """The accelerator was lost, is stood in for, or is back; what is open goes on."""
        self._report("", Change(kind, self._now(), reason), details=details)

    def stop(self, reason: str) -> None:
        """End what is open, say why, and close the log; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            self._end_all("the watch stopped; it was not seen to end")
            self._report("", Change("stopped", self._now(), reason))
        finally:
            self._log.close()

    def close(self) -> None:
        """Stop, as the work is done."""
        self.stop("the work was done")

    def _end_all(self, reason: str) -> None:
        for name, one in self._cameras.items():
            self._minute(one.minutes.finish())
            self._report(name, *one.tracker.stop(self._now(), reason))

    def _camera(self, name: str) -> _Camera:
        if name not in self._cameras:
            self._cameras[name] = _Camera(name, self._settings)
        return self._cameras[name]

    def _minute(self, summary: Summary | None) -> None:
        if summary:
            self._log.summarise(summary)

    def _report(
        self, camera: str, *changes: Change, details: Mapping[str, Any] | None = None
    ) -> None:
        for change in changes:
            self._log.append(
                Happening(
                    kind=change.kind,
                    at=change.at,
                    camera=camera,
                    asset=self._assets.get(camera, Asset()),
                    span=change.span,
                    model=self._model,
                    enter=self._settings.enter,
                    leave=self._settings.leave,
                    reason=change.reason,
                    clock_set=is_synchronised(),
                    scene=change.scene,
                    details=details or {},
                )
            )
