"""A watch as a process of its own, and what it costs."""

import os
import sys
from pathlib import Path
from typing import Final

__all__ = ["PROGRAM", "cpu_seconds"]

PROGRAM: Final = (sys.executable, "-m", "corrosion_edge")
"""`corrosion-edge` of this very interpreter."""


def cpu_seconds(pid: int) -> float:
    """User and system time of a process with all its threads (proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
