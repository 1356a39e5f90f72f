"""Where verdicts go."""

import sys
from pathlib import Path
from typing import Any, Protocol, TextIO

from corrosion_edge.closing import Closing
from corrosion_edge.device.clock import is_doubtful
from corrosion_edge.device.lines import emit, json_line, printable
from corrosion_edge.device.verdict import Unreadable, Verdict
from corrosion_edge.frame import Frame

__all__ = ["JsonSink", "Sink", "TextSink"]


class Sink(Closing, Protocol):
    """Takes results one by one; a context manager. Sinks inherit from it."""

    def write(self, result: Verdict | Unreadable) -> None:
        """Take one result (OutputError if it cannot be kept)."""

    def close(self) -> None:
        """Finish; a second call does nothing."""


class TextSink(Sink):
    """A line for people: local time, label, score, latency, and the file if there is one.

    A question mark after the time says that the clock is not synchronised, see ``clock``.

    Unreadable pictures go to ``errors``. None means the standard streams.
    """

    def __init__(self, out: TextIO | None = None, errors: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._errors = errors or sys.stderr

    def write(self, result: Verdict | Unreadable) -> None:
        """See ``Sink.write``."""
        if isinstance(result, Unreadable):
            emit(self._errors, f"Error: {printable(result.error)}")
        else:
            emit(self._out, _text(result))

    def close(self) -> None:
        """The streams belong to whoever opened them: nothing to do."""


class JsonSink(Sink):
    """A JSON object a line, for programs.

    A verdict has index, time (ISO 8601 with offset), label, score, threshold, latency_ms, and
    path if there is a file, position_s in a recording, clock ("unsynchronised") where the time
    may be wrong. An unreadable picture has index, path and error. None means standard output.
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout

    def write(self, result: Verdict | Unreadable) -> None:
        """See ``Sink.write``."""
        fields = _failure(result) if isinstance(result, Unreadable) else _fields(result)
        emit(self._out, json_line(fields))

    def close(self) -> None:
        """The stream belongs to whoever opened it: nothing to do."""


def _text(verdict: Verdict) -> str:
    frame, said = verdict.frame, verdict.prediction
    doubt = "?" if is_doubtful(frame.taken_at) else " "
    line = f"{_time(frame)}{doubt} {said.label:<12}  {said.score:.3f}  {verdict.latency_ms:7.1f} ms"
    if frame.position is not None:
        line += f"  {frame.position:9.3f} s"
    return f"{line}  {printable(Path(frame.name).name)}" if frame.name else line


def _fields(verdict: Verdict) -> dict[str, Any]:
    frame = verdict.frame
    fields = {"index": frame.index, "time": _time(frame), **verdict.prediction.to_dict()}
    fields["latency_ms"] = round(verdict.latency_ms, 3)
    if frame.name:
        fields["path"] = frame.name
    if frame.position is not None:
        fields["position_s"] = round(frame.position, 6)
    if is_doubtful(frame.taken_at):
        fields["clock"] = "unsynchronised"
    return fields


def _failure(result: Unreadable) -> dict[str, Any]:
    return {"index": result.index, "path": result.name, "error": result.error}


def _time(frame: Frame) -> str:
    return frame.taken_at.astimezone().isoformat(timespec="milliseconds")
