"""How much memory this process holds, by the kernel's account of it."""

import re
from pathlib import Path
from typing import Final

from corrosion_edge.benchmarks.layout import Unavailable
from corrosion_edge.benchmarks.samples import UNAVAILABLE

__all__ = ["peak_bytes", "resident_bytes"]

_STATUS: Final = Path("/proc/self/status")


def peak_bytes(status: Path = _STATUS) -> int | Unavailable:
    """The most that was ever resident (VmHWM of proc(5)), in bytes.

    getrusage would give the parent's peak, which survives fork and exec.
    """
    return _bytes("VmHWM", status)


def resident_bytes(status: Path = _STATUS) -> int | Unavailable:
    """What is resident now (VmRSS of proc(5)), in bytes."""
    return _bytes("VmRSS", status)


def _bytes(name: str, status: Path) -> int | Unavailable:
    try:
        found = re.search(rf"^{name}:\s*(\d+) kB", status.read_text(), re.MULTILINE)
    except OSError:
        return UNAVAILABLE
    return int(found[1]) * 1024 if found else UNAVAILABLE
