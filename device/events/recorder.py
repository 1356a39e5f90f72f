"""All cameras' trackers before one log: verdicts and states in, events out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from corrosion_edge.closing import Closing
from corrosion_edge.device.events.event import Asset, Happening, ModelName, Scene
from corrosion_edge.device.events.picturing import Picturing
from corrosion_edge.device.events.settings import Detection
from corrosion_edge.device.events.stamp import Stamp, was_set
from corrosion_edge.device.events.summary import Minutes, Summary
from corrosion_edge.device.events.taken import Taken
from corrosion_edge.device.events.tracker import Change, Tracker
from corrosion_edge.frame import Frame, Picture
from corrosion_edge.prediction import Prediction

__all__ = ["SETTLED", "Log", "Recorder"]

SETTLED: Final = 600.0
"""Seconds after which the files that were taken are remembered, also if no other one comes."""


class Log(Closing, Protocol):
    """Takes what happened, in order, and summaries."""

    def append(
        self, happening: Happening, summary: Summary | None = None, taken: Sequence[Taken] = ()
    ) -> None:
        """Take an event; with it, all or nothing, the summary and the files that led to it."""

    def summarise(self, summary: Summary, taken: Sequence[Taken] = ()) -> None:
        """Take a summary, and the files whose results are in it."""


class _Camera:
    def __init__(self, tracker: Tracker, minutes: Minutes) -> None:
        self.tracker = tracker
        self.minutes = minutes


class Recorder(Closing):
    """Turns what cameras deliver into events, and closes the log at its own end.

    ``assets`` names what each camera looks at. Made, it says ``started``, with a ``reason`` where
    there is more to tell; closed, it ends what is open and says ``stopped``. ``answering`` names
    what would judge at this moment, the ``model`` by default. Not for several
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
        answering: Callable[[], ModelName] | None = None,
    ) -> None:
        self._log = log
        self._settings = settings
        self._model = model
        self._assets = dict(assets)
        self._now = now
        self._answering = answering or (lambda: self._model)
        self._cameras = {name: self._made(name, Tracker(settings)) for name in assets}
        self._picturing = Picturing()
        self._closed = False
        self._taken: list[Taken] = []
        self._since = 0.0
        looked_at = [{"camera": name, "asset": asset.name, "position": asset.position}
                     for name, asset in self._assets.items()]  # fmt: skip
        self._report("", Change("started", now(), reason), details={"cameras": looked_at})

    def verdict(
        self, camera: str, frame: Frame, prediction: Prediction, taken: Sequence[Taken] = ()
    ) -> None:
        """Take a verdict; its picture is kept for a while and must not be changed.

        ``taken`` is the file that it is of, to be remembered once what came of it is stored.
        """
        at, one = Stamp.of(frame), self._camera(camera)
        unsure = self._settings.is_unsure(prediction.score)
        self._minute(one.minutes.verdict(at, prediction, unsure))
        scene = Scene(frame.picture, prediction)
        self._picturing.see(camera, at, scene)
        self._take(camera, one, one.tracker.verdict(at, prediction.score, scene), taken)

    def unusable(
        self,
        camera: str,
        reason: str,
        at: Stamp | None = None,
        taken: Sequence[Taken] = (),
        picture: Picture | None = None,
    ) -> None:
        """Take a frame that shows nothing, and why; ``taken`` as with ``verdict``.

        ``picture`` is the frame's, if it could be read at all.
        """
        at, one = at or self._now(), self._camera(camera)
        self._minute(one.minutes.unusable(at))
        scene = None if picture is None else Scene(picture)
        self._take(camera, one, one.tracker.unusable(at, reason, scene), taken)

    def settle(self) -> None:
        """Nothing comes at the moment: store what files led to, if that has waited for long."""
        if self._taken and self._now().seconds - self._since >= SETTLED:
            for one in self._cameras.values():
                self._minute(one.minutes.finish())

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
        """Go on with another model: scores of two models are not compared, so what is open ends.

        A camera that is away, or shows nothing, stays so until it is back.
        """
        self._end_all("the model was changed")
        self._model, self._settings = model, settings
        self._cameras = {
            name: self._made(name, one.tracker.anew(settings))
            for name, one in self._cameras.items()
        }
        self._report("", Change("model_changed", self._now(), reason), details=details)

    def model_refused(self, reason: str, details: Mapping[str, Any] | None = None) -> None:
        """Another model was put in place and is not used: all goes on."""
        self._report("", Change("model_refused", self._now(), reason), details=details)

    def accelerator(self, kind: str, reason: str, details: Mapping[str, Any]) -> None:
        """The accelerator was lost, is stood in for, or is back; what is open goes on."""
        self._report("", Change(kind, self._now(), reason), details=details)

    def clock_set(self, at: Stamp, reason: str, details: Mapping[str, Any]) -> None:
        """The wall clock, doubtful before, is set: readers correct what was stamped before."""
        self._report("", Change("clock_set", at, reason), details=details)

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
            self._cameras[name] = self._made(name, Tracker(self._settings))
        return self._cameras[name]

    def _made(self, name: str, tracker: Tracker) -> _Camera:
        return _Camera(tracker, Minutes(name, self._was_set, self._assets.get(name)))

    def _asset(self, camera: str) -> Asset:
        """What the camera looks at; what concerns the whole watch has that of its only camera."""
        if not camera and len(self._assets) == 1:
            return next(iter(self._assets.values()))
        return self._assets.get(camera, Asset())

    def _was_set(self, at: Stamp) -> bool | None:
        return was_set(at, self._now)

    def _minute(self, summary: Summary | None) -> None:
        if summary:
            taken, self._taken = self._taken, []
            self._log.summarise(summary, taken)

    def _take(
        self, camera: str, one: _Camera, changes: Sequence[Change], taken: Sequence[Taken]
    ) -> None:
        """Report the changes, the last one with the file that led to it and those before it."""
        if taken and not self._taken:
            self._since = self._now().seconds
        if not (taken and changes):
            self._taken += taken
            self._report(camera, *changes)
            return
        self._report(camera, *changes[:-1])
        files, self._taken = [*self._taken, *taken], []
        self._log.append(self._happening(camera, changes[-1]), one.minutes.finish(), files)

    def _report(
        self, camera: str, *changes: Change, details: Mapping[str, Any] | None = None
    ) -> None:
        for change in changes:
            self._log.append(self._happening(camera, change, details))

    def _happening(
        self, camera: str, change: Change, details: Mapping[str, Any] | None = None
    ) -> Happening:
        scene, told = self._picturing.of(camera, change)
        return Happening(
            kind=change.kind,
            at=change.at,
            camera=camera,
            asset=self._asset(camera),
            span=change.span,
            model=self._judge(change.scene),
            enter=self._settings.enter,
            leave=self._settings.leave,
            reason=change.reason,
            clock_set=self._was_set(change.at),
            scene=scene,
            details={**(details or {}), **told},
        )

    def _judge(self, scene: Scene | None) -> ModelName:
        """What the scene's verdict is of; without one, what answers now."""
        said = scene.prediction if scene else None
        if said is None:
            return self._answering()
        digest = said.model_sha256 or self._model.sha256
        return replace(self._model, sha256=digest, backend=said.backend)
