"""Standard output and error that may be full, closed, or have lost their reader."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, TextIO

from corrosion_edge.errors import OutputError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["forget", "guarded"]

_NAMES: Final = {"stdout": "standard output", "stderr": "standard error"}


@contextmanager
def guarded() -> Iterator[None]:
    """Within the block both streams say what is wrong with them, and are flushed at its end.

    One that cannot be written raises OutputError, once; then what it gets is lost. A reader that
    left is BrokenPipeError. One that was closed before the start takes everything and keeps
    nothing. What others put in place of the streams, such as a test, is left alone.
    """
    before = {name: getattr(sys, name) for name in _NAMES}
    for name, stream in before.items():
        setattr(sys, name, _guarded(name, stream))
    try:
        try:
            yield
        finally:
            for name in _NAMES:
                getattr(sys, name).flush()
    finally:
        for name, stream in before.items():
            setattr(sys, name, stream)


def forget(stream: TextIO) -> None:
    """Send what is left in the buffer nowhere, or the interpreter fails on it when it ends."""
    with suppress(OSError, ValueError):
        _lead_nowhere(stream.fileno())


class _Guarded(io.FileIO):
    """A descriptor whose failure names it, also where a library writes to it."""

    def __init__(self, descriptor: int, called: str) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self._called = called

    def write(self, data: "ReadableBuffer") -> int:
        if not memoryview(data).nbytes:
            return 0  # click writes nothing to find out what a stream takes, and hides the answer
        try:
            return super().write(data)
        except OSError as error:
            _lead_nowhere(self.fileno())
            if isinstance(error, BrokenPipeError):
                raise
            reason = error.strerror or str(error)
            raise OutputError(f"{self._called}: cannot be written ({reason})") from None


def _guarded(name: str, stream: TextIO | None) -> TextIO:
    if stream is None:  # its number is taken, or the next file would get it and all that is said
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123
    if type(stream) is not io.TextIOWrapper:
        return stream
    raw = _Guarded(stream.fileno(), _NAMES[name])
    stream.flush()
    return io.TextIOWrapper(
        raw if stream.write_through else io.BufferedWriter(raw),
        encoding=stream.encoding, errors=stream.errors,
        line_buffering=stream.line_buffering, write_through=stream.write_through,
    )  # fmt: skip


def _lead_nowhere(descriptor: int) -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, descriptor)
    os.close(null)
