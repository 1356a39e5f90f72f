"""What ``watch --store`` does: a sink that turns verdicts into stored events."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from corrosion_edge import output
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.device.events.event import Asset, ModelName
from corrosion_edge.device.events.recorder import Recorder
from corrosion_edge.device.events.settings import Detection, Votes, parse_smoothing
from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.lines import emit, printable
from corrosion_edge.device.sinks import Result, Sink
from corrosion_edge.device.store.keeper import Keeper
from corrosion_edge.device.store.retention import Retention
from corrosion_edge.device.store.store import Store, Stored
from corrosion_edge.device.verdict import Unreadable, Unusable, Verdict
from corrosion_edge.errors import OutputError, SourceLost, UsageError

__all__ = ["EventSink", "detection", "recording"]


class EventSink(Sink):
    """Gives what cameras deliver to a recorder, which is closed by whoever made it.

    ``alone`` is what the one camera is called that has no name of its own.
    """

    def __init__(self, recorder: Recorder, alone: str = "") -> None:
        self._recorder = recorder
        self._alone = alone

    def write(self, result: Result) -> None:
        """See ``Sink.write``."""
        recorder = self._recorder
        if isinstance(result, Verdict):
            recorder.verdict(self._name(result.frame.camera), result.frame, result.prediction)
        elif isinstance(result, Unusable):
            camera, at = self._name(result.frame.camera), Stamp.of(result.frame)
            recorder.unusable(camera, str(result.quality), at)
        elif isinstance(result, Unreadable):
            recorder.unusable(self._alone, f"unreadable: {result.error}")
        else:
            recorder.camera_state(self._name(result.camera), result.state, result.reason)

    def close(self) -> None:
        """See ``Sink.close``."""

    def _name(self, camera: str) -> str:
        return self._alone or camera


def detection(classifier: Classifier, options: dict[str, Any]) -> Detection:
    """Smoothing and hysteresis as asked for, or as the model has them (UsageError)."""
    confidence = classifier.manifest.confidence
    return Detection.for_model(
        classifier.threshold,
        confidence.unsure if confidence else None,
        smoothing=parse_smoothing(options["smooth"]) if options["smooth"] else Votes(3, 5),
        enter=options["enter"],
        leave=options["leave"],
    )


@contextmanager
def recording(
    options: dict[str, Any], classifier: Classifier, source: str, names: Sequence[str] = ()
) -> Iterator[Sequence[Sink]]:
    """The sinks that ``--store`` asks for, none without it; at the end the store says why.

    ``names`` are those of the cameras; one without a name is called as its ``source``.

    StoreError for a store that cannot be opened, UsageError for options without ``--store``.
    """
    if options["folder"] is None:
        if given := [name for name, value in options.items() if value is not None]:
            raise UsageError(f"--{given[0].replace('_', '-')}: needs --store DIR")
        yield ()
        return
    recorder = _recorder(options, classifier, names or (source,))
    reason = "the source ended, or enough verdicts were made"
    try:
        yield (EventSink(recorder, "" if names else source),)
    except KeyboardInterrupt:
        reason = "ended on request"
        raise
    except BaseException as error:
        reason = f"failed: {error}"
        if isinstance(error, SourceLost) and not names:
            recorder.camera_state(source, "lost", str(error))
        raise
    finally:
        recorder.stop(reason)


def _recorder(options: dict[str, Any], classifier: Classifier, cameras: Sequence[str]) -> Recorder:
    settings = detection(classifier, options)
    given = {"days": options["keep_days"], "megabytes": options["keep_mb"]}
    retention = Retention(**{name: value for name, value in given.items() if value is not None})
    model = ModelName(classifier.name, classifier.manifest.model_sha256, classifier.threshold)
    asset = Asset(options["asset"] or "", options["position"] or "")
    assets = dict.fromkeys(cameras, asset)
    store = Store(options["folder"])
    with _closing_on_error(store):
        keeper = Keeper(store, retention, told=_Told(options["head_file"]))
        return Recorder(keeper, settings, model, assets)


@contextmanager
def _closing_on_error(store: Store) -> Iterator[None]:
    """Close the store if what is built on it cannot be."""
    try:
        yield
    except BaseException:
        store.close()
        raise


class _Told:
    """Says on standard error what is stored, after it is; keeps the head in a file."""

    def __init__(self, head: Path | None) -> None:
        self._head = head

    def __call__(self, stored: Stored) -> None:
        fields = stored.fields
        line = f"stored: event {stored.sequence} {fields['kind']} {fields['camera']} {stored.hash}"
        with suppress(OutputError, BrokenPipeError):
            emit(sys.stderr, printable(" ".join(line.split())))
        if self._head is None:
            return
        try:
            output.write(self._head, f"{stored.sequence} {stored.hash}\n")
        except OutputError as error:
            with suppress(OutputError, BrokenPipeError):
                emit(sys.stderr, f"warning: {printable(str(error))}")
