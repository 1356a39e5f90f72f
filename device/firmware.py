"""What a board says of its power and heat: the kernel's thermal zones, and a Pi's firmware."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

__all__ = [
    "THROTTLE_FLAGS",
    "ask_vcgencmd",
    "hottest_zone",
    "read_throttled",
    "supply_milliamperes",
    "throttle_reasons",
    "voltage_alarm",
]

THROTTLE_FLAGS: Final = {
    0: "under-voltage now",
    1: "frequency capped now",
    2: "throttled now",
    3: "soft temperature limit now",
    16: "under-voltage since boot",
    17: "frequency capped since boot",
    18: "throttled since boot",
    19: "soft temperature limit since boot",
}
"""Bits of ``get_throttled``: https://www.raspberrypi.com/documentation/computers/os.html"""

_FIRMWARE: Final = "sys/devices/platform/soc*/*firmware/get_throttled"


def hottest_zone(root: Path) -> float | None:
    """Degrees Celsius of the hottest thermal zone below ``root``; None where none tells."""
    zones = (_text(zone) for zone in root.glob("sys/class/thermal/thermal_zone*/temp"))
    return max((int(t) / 1000 for t in zones if re.fullmatch(r"-?\d+", t)), default=None)


def throttle_reasons(flags: int) -> list[str]:
    """The words for the firmware's flags, e.g. 0x50005."""
    return [words for bit, words in THROTTLE_FLAGS.items() if flags >> bit & 1]


def read_throttled(root: Path, ask: Callable[[], str]) -> int | None:
    """The flags from ``ask``, as vcgencmd gives them ("throttled=0x50000"), or else the kernel's.

    None where neither says anything.
    """
    for answer in (ask(), *map(_text, sorted(root.glob(_FIRMWARE)))):
        if found := re.fullmatch(r"(?:throttled=)?(?:0x)?([0-9a-fA-F]+)", answer.strip()):
            return int(found[1], 16)
    return None


def supply_milliamperes(root: Path) -> int | None:
    """What the power supply promised to a Pi 5, in mA; None where the board does not say."""
    try:  # a cell of the device tree: 32 bits, most significant first
        cell = (root / "proc/device-tree/chosen/power/max_current").read_bytes()
    except OSError:
        return None
    return int.from_bytes(cell[:4], "big")


def voltage_alarm(root: Path) -> bool | None:
    """Whether a Pi's voltage monitor says under-voltage now; None where there is none."""
    for chip in sorted(root.glob("sys/class/hwmon/hwmon*")):
        if _text(chip / "name") == "rpi_volt" and (alarm := _text(chip / "in0_lcrit_alarm")):
            return alarm == "1"
    return None


def ask_vcgencmd(seconds: float = 5) -> str:
    """What ``vcgencmd get_throttled`` prints; empty where there is none or it fails."""
    if shutil.which("vcgencmd") is None:
        return ""
    command = ["vcgencmd", "get_throttled"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").replace("\0", "").strip()
    except OSError:
        return ""
