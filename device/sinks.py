"""Where verdicts go."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TextIO

from corrosion_edge.closing import Closing
from corrosion_edge.device.accelerator.state import AcceleratorState
from corrosion_edge.device.capture.state import CameraState, Observer
from corrosion_edge.device.clock import is_doubtful, local_time
from corrosion_edge.device.clock_watch import ClockSet
from corrosion_edge.device.events.stamp import Stamp, was_set
from corrosion_edge.device.lines import emit, json_line, printable
from corrosion_edge.device.stop import Stop
from corrosion_edge.device.verdict import ModelChange, Unreadable, Unusable, Verdict
from corrosion_edge.errors import OutputError
from corrosion_edge.frame import Frame

if TYPE_CHECKING:
    from corrosion_edge.device.store.event import Event

__all__ = ["JsonSink", "Result", "Sink", "TextSink", "telling"]

_STANDS_IN: Final = "  [CPU in place of the accelerator]"

Result = Verdict | Unreadable | Unusable | CameraState | ModelChange | AcceleratorState | ClockSet
"""What a sink takes."""


class Sink(Closing, Protocol):
    """Takes results one by one; a context manager. Sinks inherit from it."""

    def write(self, result: Result) -> None:
        """Take one result (OutputError if it cannot be kept)."""

    def stored(self, event: "Event") -> None:
        """Take an event that the store has; raises nothing, as the store does not wait for it."""
        return  # by itself none is interested

    def close(self) -> None:
        """Finish; a second call does nothing."""


class TextSink(Sink):
    """A line for people: local time, label, score, latency, and the file if there is one.

    A question mark after the time says that the clock is not synchronised, see ``clock``.
    Unreadable pictures and what becomes of a camera, the model, the accelerator or the clock go to
    ``errors``; every verdict of what stands in for the accelerator is marked. None means the
    standard streams.
    """

    def __init__(self, out: TextIO | None = None, errors: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._errors = errors or sys.stderr
        self._replaced = False

    def write(self, result: Result) -> None:
        """See ``Sink.write``."""
        if isinstance(result, Unreadable):
            emit(self._errors, f"Error: {printable(result.error)}")
        elif isinstance(result, CameraState):
            if result.notable:
                emit(self._errors, printable(str(result)))
        elif isinstance(result, ModelChange | AcceleratorState | ClockSet):
            emit(self._errors, printable(str(result)))
            if isinstance(result, AcceleratorState):
                self._replaced = result.state == "replaced"
        else:
            emit(self._out, _text(result) + (_STANDS_IN if self._replaced else ""))

    def close(self) -> None:
        """The streams belong to whoever opened them: nothing to do."""


class JsonSink(Sink):
    """A JSON object a line, for programs; what has the field event is an event, all else a picture.

    A verdict has camera (where cameras have names), index, time (ISO 8601 with offset), label,
    score, threshold, unsure (if the model has a band), tile ([column, row] from 1, if there are
    tiles), backend (what it ran on), latency_ms, and path if there is a file, position_s in a
    recording, clock ("unsynchronised") where the time may be wrong. An unreadable picture has
    camera, index, path and error. A frame that got no verdict has unusable (dark, bright, covered
    or blurred) with value and limit, or unusable (misfit) with reason, in place of label, score
    and threshold. A camera that fails or recovers has event (``camera_lost``, ``camera_recovered``,
    …) and the fields of ``CameraState.to_dict``; another model file event (``model_changed`` or
    ``model_refused``) and those of ``ModelChange.to_dict``; an accelerator event
    (``accelerator_lost``, ``accelerator_replaced``, ``accelerator_recovered``) and those of
    ``AcceleratorState.to_dict``; a clock that was set event (``clock_set``) and those of
    ``ClockSet.to_dict``. None means standard output.

    An event that ``stored`` gets has event, its kind, and the fields of ``Event.to_dict``; of
    camera, model, accelerator and clock that line alone is printed, if it comes before the result.
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._stored: set[str] = set()
        self._failure: OSError | None = None

    def stored(self, event: "Event") -> None:
        """See ``Sink.stored``; an error is raised by what is called next."""
        kind = event.fields["kind"]
        self._stored.add(kind)
        try:
            emit(self._out, json_line({"event": kind, **event.to_dict()}))
        except (OutputError, BrokenPipeError) as error:
            self._failure = self._failure or error

    def write(self, result: Result) -> None:
        """See ``Sink.write``."""
        self._raise()
        stored, self._stored = self._stored, set()
        if isinstance(result, Verdict):
            emit(self._out, json_line(_fields(result)))
        elif isinstance(result, Unreadable):
            emit(self._out, json_line(_failure(result)))
        elif isinstance(result, Unusable):
            emit(self._out, json_line({**_frame(result.frame), **result.quality.to_dict()}))
        elif isinstance(result, CameraState) and not result.notable:
            return
        elif (told := result.to_dict())["event"] not in stored:
            emit(self._out, json_line(told))

    def close(self) -> None:
        """See ``Sink.close``; the stream belongs to whoever opened it."""
        self._raise()

    def _raise(self) -> None:
        """What went wrong since, once."""
        failure, self._failure = self._failure, None
        if failure:
            raise failure


def _text(result: Verdict | Unusable) -> str:
    frame = result.frame
    camera = f" {frame.camera:<8} " if frame.camera else ""
    doubt = "?" if _is_doubtful(frame) else " "
    line = f"{_time(frame)}{doubt}{camera} {_said(result)}"
    if frame.position is not None:
        line += f"  {frame.position:9.3f} s"
    if isinstance(result, Verdict) and result.prediction.tile is not None:
        line += "  tile {},{}".format(*result.prediction.tile)
    return f"{line}  {printable(Path(frame.name).name)}" if frame.name else line


def _said(result: Verdict | Unusable) -> str:
    if isinstance(result, Unusable):
        return f"{'unusable':<12}  {result.quality}"
    said = result.prediction
    return f"{said.word:<12}  {said.score:.3f}  {result.latency_ms:7.1f} ms"


def _fields(verdict: Verdict) -> dict[str, Any]:
    latency = {"latency_ms": round(verdict.latency_ms, 3)}
    return {**_frame(verdict.frame), **verdict.prediction.to_dict(), **latency}


def _frame(frame: Frame) -> dict[str, Any]:
    fields: dict[str, Any] = {"index": frame.index, "time": _time(frame)}
    if frame.camera:
        fields = {"camera": frame.camera, **fields}
    if frame.name:
        fields["path"] = frame.name
    if frame.position is not None:
        fields["position_s"] = round(frame.position, 6)
    if _is_doubtful(frame):
        fields["clock"] = "unsynchronised"
    return fields


def _is_doubtful(frame: Frame) -> bool:
    """Whether its time may be wrong; a clock that was set since does not make it right."""
    if is_doubtful(frame.taken_at):
        return True
    return frame.monotonic is not None and was_set(Stamp.of(frame)) is False


def _failure(result: Unreadable) -> dict[str, Any]:
    fields = {"index": result.index, "path": result.name, "error": result.error}
    return {"camera": result.camera, **fields} if result.camera else fields


def _time(frame: Frame) -> str:
    return local_time(frame.taken_at)


def telling(sinks: Sequence[Sink], stop: Stop) -> Observer:
    """What tells ``sinks``, as they are then, of each camera's states; not broken off half-way."""

    def tell(state: CameraState) -> None:
        with stop.deferred():
            for sink in sinks:
                sink.write(state)

    return tell
