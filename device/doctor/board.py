"""Probes of the board: heat, power, clocks of the processor, memory and swap."""

import re
from collections.abc import Iterator

from corrosion_edge.device.doctor.finding import OK, PROBLEM, UNKNOWN, WARNING, Finding
from corrosion_edge.device.doctor.host import Host
from corrosion_edge.device.firmware import (
    hottest_zone,
    read_throttled,
    supply_milliamperes,
    throttle_reasons,
    voltage_alarm,
)

__all__ = ["board", "governor", "memory", "power", "swap", "temperature", "throttling"]

_WARM, _HOT = 70.0, 80.0
"""Degrees Celsius. A Pi slows down from 80 (models 3B+: 60, soft); see
https://www.raspberrypi.com/documentation/computers/raspberry-pi.html#frequency-management"""

_LEAST, _LITTLE = 100, 300  # MiB available; watch on the default model takes about 100
_PI_5_SUPPLY = 5000  # mA that the 27 W supply tells the firmware
_SUPPLY = "Use the official supply of this board and a short cable."


def board(host: Host) -> Iterator[Finding]:
    """The board and its system."""
    vendor = (host.text(f"sys/class/dmi/id/{name}") for name in ("sys_vendor", "product_name"))
    name = host.board or " ".join(filter(None, vendor)) or "board of no name"
    system = re.search(r'(?m)^PRETTY_NAME="?([^"\n]+)', host.text("etc/os-release"))
    kernel = host.text("proc/sys/kernel/osrelease")
    yield Finding("board", OK, f"{name}; {system[1] if system else 'unknown system'}, {kernel}")


def temperature(host: Host) -> Iterator[Finding]:
    """The hottest thermal zone, in degrees Celsius."""
    hottest = hottest_zone(host.root)
    if hottest is None:
        yield Finding("temperature", UNKNOWN, "no thermal zone tells one",
                      "Feel whether it gets hot; virtual machines have no zone.")  # fmt: skip
        return
    said = f"{hottest:.1f} °C"
    if hottest >= _HOT:
        yield Finding("temperature", PROBLEM, f"{said}: the processor is being slowed down",
                      "Add a heat sink or fan, or give it shade and air.")  # fmt: skip
    elif hottest >= _WARM:
        yield Finding("temperature", WARNING, f"{said}, near the {_HOT:.0f} °C of slowing down",
                      "Add a heat sink or fan, or raise --interval.")  # fmt: skip
    else:
        yield Finding("temperature", OK, said)


def throttling(host: Host) -> Iterator[Finding]:
    """The firmware's flags, each by name: now is a problem, earlier a warning."""
    flags = read_throttled(host.root, host.throttled)
    if flags is None:
        where = "the firmware does not say" if host.is_raspberry_pi else "only a Raspberry Pi tells"
        yield Finding("throttling", UNKNOWN, where, "On a Raspberry Pi install raspi-utils, "
                      "which brings vcgencmd; else watch the clock under load.")  # fmt: skip
        return
    reasons = throttle_reasons(flags)
    if not reasons:
        yield Finding("throttling", OK, f"none since boot (0x{flags:x})")
        return
    now = any(reason.endswith("now") for reason in reasons)
    power = any("under-voltage" in reason for reason in reasons)
    yield Finding("throttling", PROBLEM if now else WARNING, f"{', '.join(reasons)} (0x{flags:x})",
                  _SUPPLY if power else "Add a heat sink or fan; see the temperature.")  # fmt: skip


def power(host: Host) -> Iterator[Finding]:
    """What the power supply gives: a Pi 5 knows its current, the voltage monitor its alarm."""
    if voltage_alarm(host.root):
        yield Finding("power", PROBLEM, "under-voltage, says the board's monitor", _SUPPLY)
        return
    current = supply_milliamperes(host.root)
    if current is None:
        yield Finding("power", UNKNOWN, "this board does not say what its supply gives",
                      "See that the supply is the one that the board's maker names.")  # fmt: skip
    elif current < _PI_5_SUPPLY:
        yield Finding("power", WARNING, f"the supply promises {current} mA, so all USB devices "
                      "together get 600 mA", "Use the 27 W supply, before a Coral or a USB disk is "
                      "attached.")  # fmt: skip
    else:
        yield Finding("power", OK, f"the supply promises {current} mA")


def governor(host: Host) -> Iterator[Finding]:
    """The governor and clocks of each group of cores."""
    found = [_policy(host, path.name)
             for path in host.glob("sys/devices/system/cpu/cpufreq/policy*")
             if host.text(path / "scaling_governor")]  # fmt: skip
    said = "; ".join(dict.fromkeys(found))
    if not found:
        yield Finding("cpu", UNKNOWN, "the processor's clock is not to be seen",
                      "Nothing, where the host sets it; else look for cpufreq.")  # fmt: skip
    elif "powersave" in said:
        yield Finding("cpu", WARNING, said, "For full speed run: echo ondemand | sudo tee "
                      "/sys/devices/system/cpu/cpufreq/policy*/scaling_governor")  # fmt: skip
    else:
        yield Finding("cpu", OK, said)


def memory(host: Host) -> Iterator[Finding]:
    """Memory in all and available, in MiB."""
    total, available = _mebibytes(host, "MemTotal"), _mebibytes(host, "MemAvailable")
    said = f"{available} of {total} MiB available"
    if available < _LEAST:
        yield Finding("memory", PROBLEM, said, "End other programs; watch takes about 100 MiB.")
    elif available < _LITTLE:
        yield Finding("memory", WARNING, said, "End other programs, or boot without a desktop.")
    else:
        yield Finding("memory", OK, said)


def swap(host: Host) -> Iterator[Finding]:
    """Swap, and whether it wears a card."""
    lines = [line.split() for line in host.text("proc/swaps").splitlines()[1:]]
    used = {words[0]: int(words[3]) // 1024 for words in lines}
    if not used:
        yield Finding("swap", OK, "none")
        return
    said = ", ".join(f"{name}, {mib} MiB used" for name, mib in used.items())
    worn = [name for name, mib in used.items() if mib > 100 and "zram" not in name]
    if worn:
        yield Finding("swap", WARNING, said, "Swapping wears a card: end other programs, or swap "
                      "to compressed memory (zram).")  # fmt: skip
    else:
        yield Finding("swap", OK, said)


def _policy(host: Host, name: str) -> str:
    folder = f"sys/devices/system/cpu/cpufreq/{name}"
    clocks = [host.text(f"{folder}/{file}") for file in
              ("scaling_cur_freq", "cpuinfo_min_freq", "cpuinfo_max_freq")]  # fmt: skip
    now, low, high = (str(int(c) // 1000) if c.isdigit() else "?" for c in clocks)
    return f"{host.text(f'{folder}/scaling_governor')}, {now} MHz of {low} to {high}"


def _mebibytes(host: Host, key: str) -> int:
    found = re.search(rf"(?m)^{key}:\s*(\d+) kB", host.text("proc/meminfo"))
    if not found:
        raise ValueError(f"/proc/meminfo has no {key}")
    return int(found[1]) // 1024
