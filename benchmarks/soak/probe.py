"""What a process holds, from /proc: memory, files, threads, children, processor time."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from corrosion_edge.benchmarks.process import cpu_seconds
from corrosion_edge.errors import OutputError

__all__ = ["PROC", "probe"]

PROC: Final = Path("/proc")
_STATUS: Final = {"VmRSS": "rss_kb", "RssAnon": "anon_kb", "VmSwap": "swap_kb",
                  "Threads": "threads"}  # fmt: skip
_ROLLUP: Final = {"Pss": "pss_kb", "Private_Dirty": "dirty_kb"}


def probe(pid: int) -> dict[str, float]:
    """The figures of a process (proc(5)); memory in units of 1024 bytes, as the kernel gives it.

    ``rss_kb`` is what it holds of the machine's memory, ``anon_kb`` of that what no file backs,
    ``pss_kb`` its share of what is shared (0 where the kernel does not tell); ``files`` are its
    open ones. OutputError if the process is gone.
    """
    folder = PROC / str(pid)
    try:
        found = _fields(folder / "status", _STATUS)
        files = len(os.listdir(folder / "fd"))  # noqa: PTH208 - names alone are wanted
        children = sum(len(task.read_text().split()) for task in folder.glob("task/*/children"))
        busy = cpu_seconds(pid)
    except (OSError, IndexError) as error:
        raise OutputError(f"process {pid}: cannot be looked at ({error})") from None
    if missing := set(_STATUS.values()) - set(found):  # it ended, and nobody has waited for it
        raise OutputError(f"process {pid}: has no {', '.join(sorted(missing))} any more")
    return {**found, **_rollup(folder), "files": files, "children": children,
            "cpu_s": round(busy, 2)}  # fmt: skip


def _rollup(folder: Path) -> dict[str, float]:
    try:
        return _fields(folder / "smaps_rollup", _ROLLUP)
    except OSError:
        return dict.fromkeys(_ROLLUP.values(), 0.0)


def _fields(path: Path, wanted: Mapping[str, str]) -> dict[str, float]:
    lines = (line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)
    return {wanted[name]: float(value.split()[0]) for name, value in lines if name in wanted}
