"""What machine it was, and in what state: read from /proc, /sys and /etc, never guessed.

Every function takes the root of the file system, so that a copy of a board's files will do, and
gives the string "unavailable" for what cannot be read.
"""

import importlib.metadata
import os
import platform
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from corrosion_edge.benchmarks.samples import UNAVAILABLE
from corrosion_edge.device import firmware
from corrosion_edge.device.firmware import THROTTLE_FLAGS

__all__ = [
    "THROTTLE_FLAGS",
    "Machine",
    "State",
    "busy_seconds",
    "read_machine",
    "read_state",
    "throttle_reasons",
]

Fact = int | float | str

ROOT: Final = Path("/")

# Main ID register parts of Arm Ltd. (implementer 0x41), as in Linux's arch/*/include/asm/cputype.h
_ARM_PARTS: Final = {
    0xB76: "ARM1176", 0xC07: "Cortex-A7", 0xD03: "Cortex-A53", 0xD04: "Cortex-A35",
    0xD05: "Cortex-A55", 0xD07: "Cortex-A57", 0xD08: "Cortex-A72", 0xD09: "Cortex-A73",
    0xD0A: "Cortex-A75", 0xD0B: "Cortex-A76", 0xD41: "Cortex-A78",
}  # fmt: skip
_RUNTIMES: Final = ("ai-edge-litert", "tflite-runtime")


@dataclass(frozen=True, slots=True)
class Machine:
    """What does not change while measuring; ``memory_bytes`` is all of the machine's memory.

    ``cores`` counts the cores this process may use; ``frequency_limits_mhz`` gives the lowest and
    highest clock of each group of cores. Whatever cannot be read is "unavailable".
    """

    board: str
    cpu: str
    cores: Fact
    governor: str
    frequency_limits_mhz: str
    memory_bytes: Fact
    os: str
    kernel: str
    architecture: str
    python: str
    numpy: str
    pillow: str
    runtime: str


@dataclass(frozen=True, slots=True)
class State:
    """What changes: read just before and just after measuring.

    ``temperature_c`` is the hottest thermal zone in degrees Celsius; ``throttled`` the flags of
    the firmware in hexadecimal; ``frequency_mhz`` the clock of each group of cores;
    ``load_average`` that of 1, 5 and 15 minutes.
    """

    temperature_c: Fact
    throttled: str
    frequency_mhz: str
    load_average: str

    def __post_init__(self) -> None:
        for field in fields(self):
            if not isinstance(getattr(self, field.name), int | float | str):
                raise ValueError(f"{field.name}: expected a number or text")
        throttle_reasons(self.throttled)


def read_machine(root: Path = ROOT) -> Machine:
    """The machine's facts."""
    return Machine(
        board=_board(root),
        cpu=_cpu(root),
        cores=len(os.sched_getaffinity(0)),
        governor=_of_each_policy(root, "scaling_governor"),
        frequency_limits_mhz=_frequency_limits(root),
        memory_bytes=_memory(root),
        os=_first_match(root / "etc/os-release", r'^PRETTY_NAME="?([^"\n]+)"?'),
        kernel=_text(root / "proc/sys/kernel/osrelease"),
        architecture=platform.machine() or UNAVAILABLE,
        python=f"{platform.python_implementation()} {platform.python_version()}",
        numpy=_version("numpy"),
        pillow=_version("pillow"),
        runtime=_runtime(),
    )


def read_state(root: Path = ROOT, ask: Callable[[], str] | None = None) -> State:
    """The machine's state; ``ask`` gives the answer of ``vcgencmd get_throttled``."""
    return State(
        temperature_c=_temperature(root),
        throttled=_throttled(root, ask or firmware.ask_vcgencmd),
        frequency_mhz=_of_each_policy(root, "scaling_cur_freq", _mhz),
        load_average=_first_match(root / "proc/loadavg", r"^([\d.]+ [\d.]+ [\d.]+)"),
    )


def throttle_reasons(flags: str) -> list[str]:
    """The words for the firmware's flags, e.g. "0x50005"; none if they are unavailable."""
    return [] if flags == UNAVAILABLE else firmware.throttle_reasons(int(flags, 16))


def busy_seconds(root: Path = ROOT) -> float | None:
    """Processor time spent by all since boot, in seconds over all cores, or None.

    The first line of /proc/stat (proc(5)) without idle and iowait; time stolen by other virtual
    machines counts as busy.
    """
    numbers = _first_match(root / "proc/stat", r"^cpu +([\d ]+)").split()
    if len(numbers) < 8:
        return None
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, numbers[:8])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").replace("\0", "").strip() or UNAVAILABLE
    except OSError:
        return UNAVAILABLE


def _first_match(path: Path, pattern: str) -> str:
    found = re.search(pattern, _text(path), re.MULTILINE)
    return found[1].strip() if found else UNAVAILABLE


def _board(root: Path) -> str:
    """The device tree's model, or on a PC the maker and product of its firmware's tables."""
    if (model := _text(root / "proc/device-tree/model")) != UNAVAILABLE:
        return model
    names = [_text(root / "sys/class/dmi/id" / name) for name in ("sys_vendor", "product_name")]
    return " ".join(name for name in names if name != UNAVAILABLE) or UNAVAILABLE


def _cpu(root: Path) -> str:
    cpuinfo = root / "proc/cpuinfo"
    part = _first_match(cpuinfo, r"^CPU part\s*:\s*(0x[0-9a-fA-F]+)")
    maker = _first_match(cpuinfo, r"^CPU implementer\s*:\s*(0x[0-9a-fA-F]+)")
    if UNAVAILABLE in (part, maker):
        return _first_match(cpuinfo, r"^model name\s*:\s*(.+)$")
    known = _ARM_PARTS.get(int(part, 16)) if int(maker, 16) == 0x41 else None
    return f"Arm {known}" if known else f"implementer {maker}, part {part}"


def _policies(root: Path) -> list[Path]:
    """The groups of cores that share a clock."""
    return sorted((root / "sys/devices/system/cpu/cpufreq").glob("policy*"))


def _of_each_policy(root: Path, name: str, change: Callable[[str], str] = str) -> str:
    values = [_text(policy / name) for policy in _policies(root)]
    known = dict.fromkeys(change(value) for value in values if value != UNAVAILABLE)
    return ", ".join(known) or UNAVAILABLE


def _mhz(khz: str) -> str:
    return str(round(int(khz) / 1000)) if khz.isdigit() else UNAVAILABLE


def _frequency_limits(root: Path) -> str:
    low = _of_each_policy(root, "cpuinfo_min_freq", _mhz)
    high = _of_each_policy(root, "cpuinfo_max_freq", _mhz)
    return UNAVAILABLE if UNAVAILABLE in (low, high) else f"{low} to {high}"


def _memory(root: Path) -> Fact:
    kib = _first_match(root / "proc/meminfo", r"^MemTotal:\s*(\d+) kB")
    return int(kib) * 1024 if kib != UNAVAILABLE else UNAVAILABLE


def _temperature(root: Path) -> Fact:
    hottest = firmware.hottest_zone(root)
    return UNAVAILABLE if hottest is None else hottest


def _throttled(root: Path, ask: Callable[[], str]) -> str:
    flags = firmware.read_throttled(root, ask)
    return UNAVAILABLE if flags is None else f"0x{flags:x}"


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return UNAVAILABLE


def _runtime() -> str:
    known = [(name, _version(name)) for name in _RUNTIMES]
    return next((f"{n} {v}" for n, v in known if v != UNAVAILABLE), UNAVAILABLE)
