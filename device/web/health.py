"""How the machine is: heat, power, disk, clock. Asked only when somebody looks, and not often."""

import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from corrosion_edge.device.clock import is_synchronised
from corrosion_edge.device.firmware import (
    ask_vcgencmd,
    hottest_zone,
    read_throttled,
    throttle_reasons,
)

__all__ = ["Health", "Machine"]

_FRESH: Final = 15.0  # seconds for which an answer is given again


@dataclass(frozen=True, slots=True)
class Health:
    """Degrees Celsius of the hottest zone, the firmware's flags, bytes of the disk, the clock.

    None where the machine does not say. ``memory`` is the resident set of this process in bytes.
    """

    temperature: float | None
    throttled: int | None
    disk_free: int
    disk_total: int
    clock_set: bool | None
    memory: int

    @property
    def throttle_reasons(self) -> list[str]:
        """The flags in words."""
        return throttle_reasons(self.throttled or 0)


class Machine:
    """Looks at the machine below ``root``; ``folder`` is where its results go."""

    def __init__(
        self,
        folder: Path,
        root: Path = Path("/"),
        ask: Callable[[], str] = ask_vcgencmd,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._root, self._ask, self._clock = folder, root, ask, clock
        self._then = float("-inf")
        self._health: Health | None = None

    def look(self) -> Health:
        """The machine now, or as it was less than 15 s ago; may wait for a program of the Pi."""
        if self._health is None or self._clock() - self._then > _FRESH:
            self._health, self._then = self._looked(), self._clock()
        return self._health

    def _looked(self) -> Health:
        disk = shutil.disk_usage(self._folder)
        flags = read_throttled(self._root, self._ask)
        return Health(
            hottest_zone(self._root), flags, disk.free, disk.total, is_synchronised(), _resident()
        )


def _resident() -> int:
    pages = re.search(r"(?m)^VmRSS:\s*(\d+) kB", _text(Path("/proc/self/status")))
    return int(pages[1]) * 1024 if pages else 0


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""
