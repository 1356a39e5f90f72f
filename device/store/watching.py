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
from corrosion_edge.device.lines import emit, printable
from corrosion_edge.device.sinks import Sink
from corrosion_edge.device.store.keeper import Keeper
from corrosion_edge.device.store.retention import Retention
from corrosion_edge.device.store.store import Store, Stored
from corrosion_edge.device.verdict import Unreadable, Verdict
from corrosion_edge.errors import OutputError, SourceLost, UsageError

__all__ = ["EventSink", "detection", "recording"]


class EventSink(Sink):
    """Gives the verdicts on one camera to a recorder, which is closed by whoever made it."""

    def __init__(self, recorder: Recorder, camera: str) -> None:
        self._recorder = recorder
        self._camera = camera

    def write(self, result: Verdict | Unreadable) -> None:
        """See ``Sink.write``."""
        if isinstance(result, Unreadable):
            self._recorder.unusable(self._camera, f"unreadable: {result.error}")
        else:
            self._recorder.verdict(self._camera, result.frame, result.prediction)

    def close(self) -> None:
        """See ``Sink.close``."""


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
    options: dict[str, Any], classifier: Classifier, camera: str
) -> Iterator[Sequence[Sink]]:
    """The sinks that ``--store`` asks for, none without it; at the end the store says why.

    StoreError for a store that cannot be opened, UsageError for options without ``--store``.
    """
    if options["folder"] is None:
        if given := [name for name, value in options.items() if value is not None]:
            raise UsageError(f"--{given[0].replace('_', '-')}: needs --store DIR")
        yield ()
        return
    recorder = _recorder(options, classifier, camera)
    reason = "the source ended, or enough verdicts were made"
    try:
        yield (EventSink(recorder, camera),)
    except KeyboardInterrupt:
        reason = "ended on request"
        raise
    except BaseException as error:
        reason = f"failed: {error}"
        if isinstance(error, SourceLost):
            recorder.camera_state(camera, "lost", str(error))
        raise
    finally:
        recorder.stop(reason)


def _recorder(options: dict[str, Any], classifier: Classifier, camera: str) -> Recorder:
    settings = detection(classifier, options)
    given = {"days": options["keep_days"], "megabytes": options["keep_mb"]}
    retention = Retention(**{name: value for name, value in given.items() if value is not None})
    model = ModelName(classifier.name, classifier.manifest.model_sha256, classifier.threshold)
    assets = {camera: Asset(options["asset"] or "", options["position"] or "")}
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
