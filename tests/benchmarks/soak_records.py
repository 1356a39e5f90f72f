"""Records of soaks that never ran, to be judged."""

import json
from collections.abc import Callable
from typing import Any

__all__ = ["ending", "fault", "record", "write"]

Line = dict[str, Any]
MACHINE = {
    "board": "unavailable", "cpu": "a processor", "cores": 2, "governor": "unavailable",
    "frequency_limits_mhz": "unavailable", "memory_bytes": 10**9, "os": "Linux", "kernel": "6",
    "architecture": "x86_64", "python": "CPython 3.11", "numpy": "2", "pillow": "11",
    "runtime": "none",
}  # fmt: skip
PLAN = {"minutes": 60.0, "warm_up": 10.0, "fault_every": 20.0, "sample_every": 15.0, "loop": 30.0,
        "interval": 0.5, "size": [640, 480], "seed": 1}  # fmt: skip
SAMPLE = {"rss_kb": 130_000.0, "anon_kb": 90_000.0, "swap_kb": 0.0, "threads": 20.0, "files": 18,
          "children": 0, "cpu_s": 1.0, "latency_ms": [4.0, 4.2, 4.4], "age_ms": [6.0, 6.0, 7.0],
          "verdicts": 3, "unusable": 0, "ping_gap_s": 20.1, "heap_kb": 45_000.0,
          "faults": 0}  # fmt: skip


def fault(what: str = "kill", outcome: str = "recovered", **fields: Any) -> Line:
    """A fault that is over."""
    return {"kind": "fault", "s": 900.0, "what": what, "target": "mjpeg", "lasted_s": 5.0,
            "noticed_s": 0.1, "back_s": 2.0, "outcome": outcome, **fields}  # fmt: skip


def ending(**fields: Any) -> Line:
    """The account at the end."""
    return {"kind": "end", "s": 3600.0, "exit_code": 0, "early": False, "reported": 9, "lost": 0,
            "kinds": {}, "untold": 0, "verify": "", "undelivered": 0, "twice": 0,
            **fields}  # fmt: skip


def record(
    change: Callable[[float], Line] = lambda hours: {}, *, minutes: float = 60.0, **end: Any
) -> list[Line]:
    """An hour's record; ``change`` says what is otherwise in the sample after so many hours."""
    start = {"kind": "start", "s": 0.0, "time": 1.8e9, "plan": PLAN, "machine": MACHINE,
             "command": ["corrosion-edge", "watch"]}  # fmt: skip
    seconds = [15.0 * n for n in range(int(4 * minutes))]
    samples = [{"kind": "sample", "s": s, **SAMPLE, **change(s / 3600)} for s in seconds]
    return [start, *samples, fault(), ending(**end)]


def write(folder, lines: list[Line]) -> None:
    """As the soak writes it."""
    (folder / "soak.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
