"""What a command cost: time, processor time and memory, of all its processes."""

import os
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from corrosion_edge.errors import OutputError

__all__ = ["Cost", "measured"]

_EVERY: Final = 0.5
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Cost:
    """Of ``photos``: ``seconds`` on the clock and ``cpu`` seconds of processor time.

    ``memory`` are pairs of seconds since the start and resident bytes, summed over all processes:
    what they share is counted with each.
    """

    photos: int
    seconds: float
    cpu: float
    memory: tuple[tuple[float, int], ...] = field(default=(), repr=False)

    @property
    def cpu_ms(self) -> float:
        """Processor time a photo in milliseconds."""
        return 1000 * self.cpu / self.photos

    @property
    def ms(self) -> float:
        """Time a photo in milliseconds."""
        return 1000 * self.seconds / self.photos


def measured(command: Sequence[str], photos: int) -> Cost:
    """Run a command on so many photos, from its call to its end (OutputError if it fails)."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    seen: list[tuple[float, int]] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_EVERY):
            seen.append((time.monotonic() - began, _resident(process.pid)))

    watching = threading.Thread(target=watch)
    watching.start()
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)  # with the processes that it waited for
    seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    ended.set()
    watching.join()
    if process.returncode:
        raise OutputError(f"classify ended with {process.returncode}: {said.decode()}")
    return Cost(photos, seconds, usage.ru_utime + usage.ru_stime, tuple(seen))


def _resident(pid: int) -> int:
    total = 0
    with suppress(OSError, IndexError):
        total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            total += _resident(int(child))
    return total
