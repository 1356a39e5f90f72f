"""A camera's server in a process of its own, to be killed, hung and started anew on its port."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from corrosion_edge.closing import Closing
from corrosion_edge.errors import SourceError

__all__ = ["PORT", "Station", "own_server"]

PORT: Final = "CAMERA_PORT"
"""The environment's name for the port that a server has to take, 0 for any."""

_START_WITHIN: Final = 60.0


def own_server(kind: str, video: Path) -> list[str]:
    """The command of ``soak.server``; its port comes by the environment."""
    module = "corrosion_edge.benchmarks.soak.server"
    return [sys.executable, "-m", module, kind, str(video)]


class Station(Closing):
    """Runs a command that prints its address on its first line and then serves a camera.

    Call it from one thread. SourceError if it does not start.
    """

    def __init__(self, name: str, command: Sequence[str], kind: str = "") -> None:
        self.name, self.kind = name, kind
        self._command = list(command)
        self._process: subprocess.Popen[str] | None = None
        self.address = ""
        self.start()

    def start(self) -> None:
        """Start it, at the address that it had before."""
        port = urlsplit(self.address).port if self.address else 0
        self._process = process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
            env={**os.environ, PORT: str(port)},
        )  # fmt: skip
        alarm = threading.Timer(_START_WITHIN, process.kill)
        alarm.start()
        address = process.stdout.readline().strip() if process.stdout else ""
        alarm.cancel()
        if "://" not in address:
            self.kill()
            raise SourceError(f"the server of {self.name} does not start: {self._command}")
        self.address = address

    def kill(self) -> None:
        """End it at once."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with suppress(OSError):
                        stream.close()

    def hang(self) -> None:
        """Let it stand still with its connections open."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it work again."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def tell(self, order: str) -> None:
        """Give an order, see ``soak.server``; one that is dead hears nothing."""
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.write(order + "\n")
                self._process.stdin.flush()

    def close(self) -> None:
        """See ``kill``."""
        self.kill()
