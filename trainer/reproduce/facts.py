"""On what machine, with which versions and when results were made."""

import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from corrosion_edge import __version__

__all__ = ["decisive", "machine", "now", "versions"]

_PACKAGES: Final = ("tensorflow", "keras", "numpy", "pillow", "scikit-learn", "scipy")
_DECISIVE: Final = ("corrosion-edge", "tensorflow", "keras")


def versions() -> dict[str, str]:
    """This program's, Python's and the packages' versions."""
    found = {"corrosion-edge": __version__, "python": platform.python_version()}
    return found | {name: _version(name) for name in _PACKAGES}


def decisive() -> dict[str, str]:
    """Those of them that results must share to stand beside each other."""
    found = versions()
    return {name: found[name] for name in _DECISIVE}


def machine() -> str:
    """One line: processor, cores this process may use, memory, system."""
    cores = len(os.sched_getaffinity(0))
    gibibytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{_processor()}, {cores} core{'s' * (cores > 1)}, {gibibytes:.1f} GiB, "
        f"{platform.system()} {platform.release()}"
    )


def now() -> str:
    """The date and time, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        return platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.machine()
