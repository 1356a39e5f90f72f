"""``watch --json`` in a process of its own, whose lines a test waits for."""

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

from corrosion_edge.device import clock

__all__ = ["Watch", "accepted", "event", "verdict", "watching"]


class Watch:
    """A running ``watch --json``; its lines come as they are printed."""

    def __init__(self, words, environment=None):
        command = [sys.executable, "-m", "corrosion_edge", "watch", "--json", *map(str, words)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=os.environ | {clock.SYNCHRONISED_VARIABLE: "trusted"} | (environment or {}),
        )  # fmt: skip
        self.lines = []
        self._read_to = 0
        self._more = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            with self._more:
                self.lines.append(json.loads(line))
                self._more.notify_all()

    def until(self, count, wanted, seconds=60):
        """Wait for so many further lines that are wanted; the lines up to the last of them."""

        def found():
            places = [n for n, line in enumerate(self.lines) if n >= self._read_to and wanted(line)]
            return places[count - 1] + 1 if len(places) >= count else None

        with self._more:
            end = self._more.wait_for(found, seconds)
            assert end, self.lines[-3:]
            start, self._read_to = self._read_to, end
            return self.lines[start:end]

    def end(self):
        self.process.send_signal(signal.SIGINT)
        told = self.process.stderr.read()
        assert self.process.wait(60) == 0, told
        return told


@contextmanager
def watching(*words, environment=None):
    watch = Watch(words, environment)
    try:
        yield watch
    finally:
        watch.process.kill()
        watch.process.wait()


def verdict(line):
    return "label" in line


def event(name):
    return lambda line: line.get("event") == f"accelerator_{name}"


def accepted(line):
    return line.get("event") == "model_changed"
