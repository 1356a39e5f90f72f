"""What changes on a machine while it works: heat, clocks, load, swap.

Every function takes the root of the file system, so that a copy of a board's files will do.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, Literal

from corrosion_edge.benchmarks.samples import UNAVAILABLE
from corrosion_edge.device import firmware

__all__ = [
    "ROOT",
    "Fact",
    "State",
    "busy_seconds",
    "fastest_mhz",
    "first_match",
    "mhz",
    "of_each_policy",
    "own_seconds",
    "read_state",
    "swapped_pages",
    "text_of",
    "throttle_reasons",
]

Fact = int | float | str

ROOT: Final = Path("/")


@dataclass(frozen=True, slots=True)
class State:
    """What changes: read just before and just after measuring.

    ``temperature_c`` is the hottest thermal zone in degrees Celsius; ``throttled`` the flags of
    the firmware in hexadecimal; ``frequency_mhz`` the clock of each group of cores;
    ``load_average`` that of 1, 5 and 15 minutes; ``under_voltage`` what a Pi's monitor says.
    """

    temperature_c: Fact
    throttled: str
    frequency_mhz: str
    load_average: str
    under_voltage: Literal["yes", "no", "unavailable"] = UNAVAILABLE

    def __post_init__(self) -> None:
        for field in fields(self):
            if not isinstance(getattr(self, field.name), int | float | str):
                raise ValueError(f"{field.name}: expected a number or text")
        throttle_reasons(self.throttled)


def read_state(root: Path = ROOT, ask: Callable[[], str] | None = None) -> State:
    """The machine's state; ``ask`` gives the answer of ``vcgencmd get_throttled``."""
    return State(
        temperature_c=_temperature(root),
        throttled=_throttled(root, ask or firmware.ask_vcgencmd),
        frequency_mhz=of_each_policy(root, "scaling_cur_freq", mhz),
        load_average=first_match(root / "proc/loadavg", r"^([\d.]+ [\d.]+ [\d.]+)"),
        under_voltage=_under_voltage(root),
    )


def throttle_reasons(flags: str) -> list[str]:
    """The words for the firmware's flags, e.g. "0x50005"; none if they are unavailable."""
    return [] if flags == UNAVAILABLE else firmware.throttle_reasons(int(flags, 16))


def busy_seconds(root: Path = ROOT) -> float | None:
    """Processor time spent by all since boot, in seconds over all cores, or None.

    The first line of /proc/stat (proc(5)) without idle and iowait; time stolen by other virtual
    machines counts as busy.
    """
    numbers = first_match(root / "proc/stat", r"^cpu +([\d ]+)").split()
    if len(numbers) < 8:
        return None
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, numbers[:8])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def own_seconds() -> float:
    """Processor time of this process and of the children it has waited for, in seconds."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def swapped_pages(root: Path = ROOT) -> int | None:
    """Pages swapped in and out since boot (/proc/vmstat), or None."""
    counts = [
        first_match(root / "proc/vmstat", rf"^{name} (\d+)$") for name in ("pswpin", "pswpout")
    ]
    return None if UNAVAILABLE in counts else sum(map(int, counts))


def fastest_mhz(root: Path = ROOT) -> int | None:
    """The clock of the fastest core now, in MHz, or None: the one at work is not slower."""
    told = [text_of(policy / "scaling_cur_freq") for policy in _policies(root)]
    return max((round(int(khz) / 1000) for khz in told if khz.isdigit()), default=None)


def text_of(path: Path) -> str:
    """A file's text without zero bytes and outer blanks, or "unavailable"."""
    try:
        return path.read_text(errors="replace").replace("\0", "").strip() or UNAVAILABLE
    except OSError:
        return UNAVAILABLE


def first_match(path: Path, pattern: str) -> str:
    """The first group of a pattern in a file, where ^ and $ are a line's ends."""
    found = re.search(pattern, text_of(path), re.MULTILINE)
    return found[1].strip() if found else UNAVAILABLE


def of_each_policy(root: Path, name: str, change: Callable[[str], str] = str) -> str:
    """What each group of cores that share a clock has in the file ``name``, each value once."""
    values = [text_of(policy / name) for policy in _policies(root)]
    known = dict.fromkeys(change(value) for value in values if value != UNAVAILABLE)
    return ", ".join(known) or UNAVAILABLE


def mhz(khz: str) -> str:
    """Kilohertz, as the kernel tells them, in MHz."""
    return str(round(int(khz) / 1000)) if khz.isdigit() else UNAVAILABLE


def _policies(root: Path) -> list[Path]:
    """The groups of cores that share a clock."""
    return sorted((root / "sys/devices/system/cpu/cpufreq").glob("policy*"))


def _temperature(root: Path) -> Fact:
    hottest = firmware.hottest_zone(root)
    return UNAVAILABLE if hottest is None else hottest


def _under_voltage(root: Path) -> Literal["yes", "no", "unavailable"]:
    alarm = firmware.voltage_alarm(root)
    return UNAVAILABLE if alarm is None else "yes" if alarm else "no"


def _throttled(root: Path, ask: Callable[[], str]) -> str:
    flags = firmware.read_throttled(root, ask)
    return UNAVAILABLE if flags is None else f"0x{flags:x}"
