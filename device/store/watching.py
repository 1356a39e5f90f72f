"""What ``watch --store`` does: a sink that turns verdicts into stored events."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from corrosion_edge.device.accelerator.state import AcceleratorState
from corrosion_edge.device.capture import FollowedFolder, Several
from corrosion_edge.device.capture.state import CameraState
from corrosion_edge.device.clock_watch import ClockSet
from corrosion_edge.device.events.event import Asset, ModelName
from corrosion_edge.device.events.recorder import Recorder
from corrosion_edge.device.events.settings import Detection, Settings, Votes, parse_smoothing
from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.events.taken import Taken
from corrosion_edge.device.lines import say
from corrosion_edge.device.sinks import Result, Sink
from corrosion_edge.device.sources import Source
from corrosion_edge.device.store.asked import head_file, retention
from corrosion_edge.device.store.event import Event
from corrosion_edge.device.store.head import HeadFile
from corrosion_edge.device.store.keeper import Keeper
from corrosion_edge.device.store.store import Store
from corrosion_edge.device.taking import Taker
from corrosion_edge.device.verdict import ModelChange, Unreadable, Unusable, Verdict
from corrosion_edge.errors import OutputError, SourceLost, UsageError

if TYPE_CHECKING:
    from corrosion_edge.device.outlets import Runs

__all__ = ["EventSink", "detection", "recording"]

_DETECT = ("smooth", "enter", "leave")
_BROKE_OFF = (
    "the watch before left no end: it was killed, lost its power, or could not write its store"
)


class EventSink(Sink, Taker):
    """Gives what cameras deliver to a recorder, which is closed by whoever made it.

    ``alone`` is what the one camera is called that has no name of its own. ``settings`` makes
    smoothing and hysteresis for a threshold and a band of unsure scores, see ``Detection``.
    ``taken`` gives what is to be remembered of a picture that had its turn, by its name.
    """

    def __init__(
        self,
        recorder: Recorder,
        settings: Settings,
        alone: str = "",
        taken: Callable[[str], Sequence[Taken]] = lambda name: (),
    ) -> None:
        self._recorder = recorder
        self._settings = settings
        self._alone = alone
        self._taken = taken

    def write(self, result: Result) -> None:
        """See ``Sink.write``."""
        self.take(result)

    def close(self) -> None:
        """See ``Sink.close``."""

    def _name(self, camera: str) -> str:
        return self._alone or camera

    def _verdict(self, verdict: Verdict) -> None:
        camera, frame = self._name(verdict.frame.camera), verdict.frame
        self._recorder.verdict(camera, frame, verdict.prediction, self._taken(frame.name))

    def _unusable(self, result: Unusable) -> None:
        camera, at = self._name(result.frame.camera), Stamp.of(result.frame)
        taken = self._taken(result.frame.name)
        self._recorder.unusable(camera, str(result.quality), at, taken, result.frame.picture)

    def _unreadable(self, result: Unreadable) -> None:
        taken = self._taken(result.name)
        camera = self._name(result.camera)
        self._recorder.unusable(camera, f"unreadable: {result.error}", taken=taken)

    def _camera_state(self, state: CameraState) -> None:
        self._recorder.camera_state(self._name(state.camera), state.state, state.reason)

    def _accelerator(self, state: AcceleratorState) -> None:
        told = state.to_dict()
        details = {name: told[name] for name in ("accelerator", "backend", "failures", "tries")}
        self._recorder.accelerator(state.event, state.reason, details)

    def _model(self, change: ModelChange) -> None:
        told = change.to_dict()
        details = {name: told[name] for name in ("file", "file_sha256", "old", "new", "warnings")}
        if change.accepted and change.new is not None:
            settings = self._settings(change.new.threshold, change.band)
            self._recorder.model_changed(change.new, settings, change.reason, details)
        else:
            self._recorder.model_refused(change.reason, details)

    def _clock_was_set(self, change: ClockSet) -> None:
        self._recorder.clock_set(change.at, change.reason, change.details)


def detection(
    threshold: float, band: tuple[float, float] | None, options: Mapping[str, Any]
) -> Detection:
    """Smoothing and hysteresis as asked for, or as a model has them (UsageError)."""
    return Detection.for_model(
        threshold,
        band,
        smoothing=parse_smoothing(options["smooth"]) if options["smooth"] else Votes(3, 5),
        enter=options["enter"],
        leave=options["leave"],
    )


@contextmanager
def recording(
    options: Mapping[str, Any],
    models: "Runs",
    assets: Mapping[str, Asset],
    alone: str = "",
    *,
    detects: bool = False,
    source: Source | None = None,
    told: Callable[[Event], None] = lambda event: None,
) -> Iterator[Sequence[Sink]]:
    """The sinks that ``--store`` asks for, none without it; at the end the store says why.

    ``models`` knows what judges; ``assets`` has what each camera looks at; ``alone`` is what one
    without a name is called. Where something else ``detects``, the options for that need no store.
    Followed folders in ``source`` pass over what was judged before. ``told`` gets each event
    after it is stored; it must not raise.

    StoreError for a store that cannot be opened, UsageError for options without ``--store``.
    """
    if options["folder"] is None:
        free = _DETECT if detects else ()
        if given := [name for name in options if options[name] is not None and name not in free]:
            raise UsageError(f"--{given[0].replace('_', '-')}: needs --store DIR")
        if named := [camera for camera, asset in assets.items() if asset != Asset()]:
            raise UsageError(f"asset, position of the camera {named[0]}: need --store DIR")
        yield ()
        return
    follows = source if isinstance(source, FollowedFolder | Several) else None
    recorder = _recorder(options, models, assets, follows, told)
    reason = "the source ended, or enough verdicts were made"
    try:
        taken = {"taken": follows.taken} if follows else {}
        yield (EventSink(recorder, partial(detection, options=options), alone, **taken),)
    except KeyboardInterrupt:
        reason = "ended on request"
        raise
    except BaseException as error:
        reason = f"failed: {error}"
        if isinstance(error, SourceLost) and alone:
            recorder.camera_state(alone, "lost", str(error))
        raise
    finally:
        recorder.stop(reason)


def _recorder(
    options: Mapping[str, Any],
    models: "Runs",
    assets: Mapping[str, Asset],
    follows: FollowedFolder | Several | None,
    told: Callable[[Event], None],
) -> Recorder:
    classifier = models.classifier
    settings = detection(classifier.threshold, classifier.band, options)
    keep, head = retention(options), head_file(options)
    model = ModelName.of(classifier)
    store = Store(options["folder"])
    with _closing_on_error(store):
        known = store.taken() if follows else []
        if head and head.noted and not store.has(head.noted.hash):
            say(f"warning: the head noted in {head.path} is not in this store: its end was cut "
                f"off, or it is another one; that head is kept in {head.keep()}")  # fmt: skip
        if short := keep.shortage(store):
            say(f"warning: {short}")
        keeper = Keeper(store, keep, told=_Told(head, told))
        reason = _BROKE_OFF if keeper.broke_off else ""
        recorder = Recorder(
            keeper, settings, model, assets, reason=reason,
            answering=lambda: ModelName.answering(models.classifier),
        )  # fmt: skip
    if follows:
        follows.pass_over(known)
        follows.on_idle = recorder.settle
    return recorder


@contextmanager
def _closing_on_error(store: Store) -> Iterator[None]:
    """Close the store if what is built on it cannot be."""
    try:
        yield
    except BaseException:
        store.close()
        raise


class _Told:
    """Says on standard error what is stored, after it is, and ``further``; keeps the head in a
    file."""

    def __init__(self, head: HeadFile | None, further: Callable[[Event], None]) -> None:
        self._head, self._further = head, further

    def __call__(self, stored: Event) -> None:
        fields = stored.fields
        line = f"stored: event {stored.sequence} {fields['kind']} {fields['camera']} {stored.hash}"
        say(" ".join(line.split()))
        self._further(stored)
        if self._head is None:
            return
        try:
            self._head.write(stored.sequence, stored.hash)
        except OutputError as error:
            say(f"warning: {error}")
