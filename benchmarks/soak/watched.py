"""The watch under test: a process, what it says line by line, and its pings as systemd has them."""

import json
import os
import queue
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

from corrosion_edge.closing import Closing
from corrosion_edge.errors import OutputError

__all__ = ["WATCHDOG", "Heard", "Stored", "Watched"]

WATCHDOG: Final = 60.0
"""Seconds, as in the service's unit."""

_END_WITHIN: Final = 60.0


@dataclass(frozen=True, slots=True)
class Stored:
    """An event that the watch reported as stored, at ``at`` of the monotonic clock."""

    sequence: int
    kind: str
    camera: str
    hash: str
    at: float

    @classmethod
    def parse(cls, line: str, at: float) -> "Stored":
        """Read ``stored: event NUMBER KIND [CAMERA] HASH``."""
        _, _, number, kind, *camera, digest = line.split()
        return cls(int(number), kind, " ".join(camera), digest, at)


@dataclass(slots=True)
class Heard:
    """What was heard since the last ``taken``: latencies and ages of verdicts in milliseconds."""

    latency_ms: list[float] = field(default_factory=list)
    age_ms: list[float] = field(default_factory=list)
    verdicts: int = 0
    unusable: int = 0
    ping_gap_s: float = 0.0
    told: dict[str, int] = field(default_factory=dict)


class Watched(Closing):
    """Starts ``command`` (a ``watch --json``) and hears it; standard error goes to a file too.

    ``stored`` gives the events that it reports as stored, ``addresses`` those of page and metrics,
    ``verdicts`` how many came so far.
    """

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self.stored: queue.SimpleQueue[Stored] = queue.SimpleQueue()
        self.addresses: list[str] = []
        self.verdicts = 0
        self._heard, self._lock = Heard(), threading.Lock()
        self._pinged = time.monotonic()
        name = f"corrosion-edge-soak-{os.getpid()}-{id(self)}"  # a path could be too long
        self._notify = _listening(name)
        self._log = (folder / "watch.log").open("a", encoding="utf-8", buffering=1)
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, bufsize=1, env=_environment(name),
        )  # fmt: skip
        assert self._process.stdout and self._process.stderr
        parts = ((self._hear_out, self._process.stdout), (self._hear_err, self._process.stderr))
        self._threads = [threading.Thread(target=part, args=(s,), daemon=True) for part, s in parts]
        self._threads.append(threading.Thread(target=self._hear_pings, daemon=True))
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._process.poll()

    def taken(self) -> Heard:
        """What was heard since the last time."""
        with self._lock:
            heard, self._heard = self._heard, Heard()
            heard.ping_gap_s = max(heard.ping_gap_s, time.monotonic() - self._pinged)
        return heard

    def reload(self) -> None:
        """As ``systemctl reload`` does."""
        self._process.send_signal(signal.SIGHUP)

    def end(self) -> int:
        """End it as systemd does; its exit code, or OutputError if it does not end."""
        self._process.terminate()
        try:
            code = self._process.wait(_END_WITHIN)
        except subprocess.TimeoutExpired:
            raise OutputError(f"the watch does not end within {_END_WITHIN:g} s") from None
        for thread in self._threads[:2]:
            thread.join(_END_WITHIN)
        return code

    def close(self) -> None:
        """Kill it if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._notify.close()
        self._log.close()

    def _hear_out(self, stream: IO[str]) -> None:
        for line in stream:
            fields = json.loads(line)
            with self._lock:
                self._count(fields)
            self.verdicts += "latency_ms" in fields

    def _count(self, fields: Mapping[str, Any]) -> None:
        heard = self._heard
        if "latency_ms" in fields:
            heard.verdicts += 1
            age = datetime.now(UTC) - datetime.fromisoformat(fields["time"])
            heard.latency_ms.append(fields["latency_ms"])
            heard.age_ms.append(round(1000 * age.total_seconds(), 1))
        elif "event" in fields:
            if "sequence" in fields:  # a camera lost for another reason too is told, not stored
                event = fields["event"]
                heard.told[event] = heard.told.get(event, 0) + 1
        elif "unusable" in fields:
            heard.unusable += 1

    def _hear_err(self, stream: IO[str]) -> None:
        for line in stream:
            if line.startswith("stored: "):
                self.stored.put(Stored.parse(line, time.monotonic()))
            elif " at http://" in line:
                self.addresses.append(line.split(" at ")[1].strip())
            if not self._log.closed:
                self._log.write(line)

    def _hear_pings(self) -> None:
        while self._process.poll() is None:
            try:
                message = self._notify.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                return
            if b"WATCHDOG=1" in message or b"READY=1" in message:
                now = time.monotonic()
                with self._lock:
                    gap, self._pinged = now - self._pinged, now
                    self._heard.ping_gap_s = max(self._heard.ping_gap_s, gap)


def _listening(name: str) -> socket.socket:
    """A socket in the abstract name space (unix(7))."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.bind(f"\0{name}")
    made.settimeout(1.0)
    return made


def _environment(notify: str) -> dict[str, str]:
    """That of the unit."""
    mine = {"NOTIFY_SOCKET": f"@{notify}", "WATCHDOG_USEC": str(round(1e6 * WATCHDOG))}
    return {**os.environ, **mine, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
