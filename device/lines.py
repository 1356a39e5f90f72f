"""One result, one line, out at once: what a person reads or another program waits for."""

import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TextIO

from corrosion_edge.errors import OutputError
from corrosion_edge.streams import forget

__all__ = ["emit", "json_line", "printable", "say"]


def emit(stream: TextIO, line: str) -> None:
    """Write a line and flush it.

    Raises OutputError if it cannot be written (disk full); BrokenPipeError passes, for a reader
    that left is no fault.
    """
    try:
        stream.write(_encodable(line, stream.encoding) + "\n")
        stream.flush()
    except (BrokenPipeError, OutputError):
        raise
    except OSError as error:
        forget(stream)
        reason = error.strerror or str(error)
        raise OutputError(f"{stream.name}: cannot be written ({reason})") from None


def say(line: str) -> None:
    """Say it on standard error, from any thread; a stream that is gone is no fault."""
    with suppress(OutputError, BrokenPipeError, ValueError):
        emit(sys.stderr, printable(line))


def json_line(fields: Mapping[str, Any]) -> str:
    """The fields as JSON on one line, in ASCII, so that any file name survives any locale."""
    return json.dumps(fields, allow_nan=False)


def printable(text: str) -> str:
    """The text with what a terminal would obey, or no character set holds, as a question mark."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _encodable(line: str, encoding: str | None) -> str:
    encoding = encoding or "utf-8"
    return line.encode(encoding, "backslashreplace").decode(encoding)
