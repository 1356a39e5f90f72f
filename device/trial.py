"""A try in a process of its own: native libraries may hang, or end theirs."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from corrosion_edge.closing import Closing

__all__ = ["CrashError", "Trial", "ask_child"]

_CHILD: Final = "corrosion_edge.device.child"
_ENDING: Final = 2.0  # seconds for a killed process: one that hangs in the kernel stays for ever


class CrashError(RuntimeError):
    """The process died; ``name`` is that of its signal, or empty."""

    def __init__(self, sentence: str, name: str = "") -> None:
        super().__init__(sentence)
        self.name = name


class Trial(Closing):
    """Asks ``python -m …child WHAT`` with ``content`` as its standard input, for so many seconds.

    What goes in and out lies in memory (memfd_create(2)), not in pipes, so that neither side waits
    for the other. Closing it ends the process.
    """

    def __init__(
        self,
        what: str,
        seconds: float,
        *words: str,
        content: bytes = b"",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._until = clock() + seconds
        given, self._out, self._err = (os.memfd_create(name) for name in ("in", "out", "err"))
        with os.fdopen(given, "wb") as stream:
            stream.write(content)
            stream.seek(0)
            command = [sys.executable, "-m", _CHILD, what, f"{seconds:g}", *words]
            self._process = subprocess.Popen(
                command, stdin=stream, stdout=self._out, stderr=self._err
            )

    def poll(self) -> Mapping[str, Any] | None:
        """The answer, once it is there; does not wait.

        Raises TimeoutError after the time, ``CrashError`` with the process's last words if it died.
        """
        return self._outcome(self._process.poll())

    def wait(self) -> Mapping[str, Any]:
        """Wait for the answer, see ``poll``."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, self._until - self._clock()))
        while (answer := self.poll()) is None:  # the clocks differ by a little
            time.sleep(0.01)
        return answer

    def close(self) -> None:
        """End the process, unless it ended itself; a second call does nothing."""
        if self._process.poll() is None:
            self._process.kill()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_ENDING)
        for name in ("_out", "_err"):
            if (number := getattr(self, name)) >= 0:
                os.close(number)
                setattr(self, name, -1)

    def _outcome(self, code: int | None) -> Mapping[str, Any] | None:
        if code is None:
            if self._clock() < self._until:
                return None
            raise TimeoutError(f"no answer within {self._seconds:g} s")
        if code:
            raise self._crash(code)
        answer: Mapping[str, Any] = json.loads(_text(self._out).splitlines()[-1])
        return answer

    def _crash(self, code: int) -> CrashError:
        if code < 0:
            name = signal.Signals(-code).name
            return CrashError(f"the trial was ended by {name}", name)
        words = _text(self._err).strip().splitlines()
        return CrashError(f"the trial ended with {code} ({(words or ['silent'])[-1]})")


def ask_child(what: str, seconds: float, *words: str, content: bytes = b"") -> Mapping[str, Any]:
    """Answer of a process of our own to ``what``, one of the trials of ``child``.

    Raises TimeoutError after so many seconds, ``CrashError`` (a RuntimeError) if it dies.
    """
    with Trial(what, seconds, *words, content=content) as trial:
        return trial.wait()


def _text(number: int) -> str:
    size = os.fstat(number).st_size
    return os.pread(number, size, 0).decode(errors="replace")
