"""Probes of the disk that results go to: free space, and what is known of its wear."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from corrosion_edge.device.doctor.finding import OK, PROBLEM, UNKNOWN, WARNING, Finding
from corrosion_edge.device.doctor.host import Host

__all__ = ["disk", "wear"]

_FULL: Final = 200 * 2**20
_LITTLE: Final = 2**30
"""Bytes free: below the first a system hardly works, below the second it soon will not."""

_SETTLED: Final = 3600.0
"""Seconds since the start before which what was written was mostly the start's."""

_PRE_EOL: Final = {1: "normal", 2: "80 % of the reserve used", 3: "90 % of the reserve used"}
"""JEDEC eMMC 5.0, PRE_EOL_INFO."""


def disk(host: Host) -> Iterator[Finding]:
    """Free space where results are stored."""
    total, free = host.disk(host.folder)
    said = f"{free / 1e9:.1f} of {total / 1e9:.1f} GB free at {host.folder}"
    if free < _FULL:
        yield Finding("disk", PROBLEM, said, "Delete files, or name another folder with --folder.")
    elif free < min(_LITTLE, total // 2):
        yield Finding("disk", WARNING, said, "Free some space: below 200 MB nothing is stored.")
    elif _read_only(host):
        yield Finding("disk", WARNING, f"{said}, but the root file system is read-only",
                      "If that is not meant so, the card may be failing: see dmesg.")  # fmt: skip
    else:
        yield Finding("disk", OK, said)


def wear(host: Host) -> Iterator[Finding]:
    """The wear of each card or eMMC, where it tells, and what is written to it."""
    disks = host.glob("sys/block/mmcblk*")
    cards = [path for path in disks if re.fullmatch(r"mmcblk\d+", path.name)]
    if not cards:
        yield Finding("wear", UNKNOWN, "no SD card or eMMC", "For other disks ask: smartctl -a")
    for card in cards:
        kind = host.text(card / "device/type") or "card"
        name = f"{card.name}, {kind} {host.text(card / 'device/name')}".strip()
        name += _written(host, card)
        life, reserve = (host.text(card / "device" / f) for f in ("life_time", "pre_eol_info"))
        yield _wear(name, life, reserve)


def _written(host: Host, card: Path) -> str:
    """Bytes a day since the start: sectors of 512 bytes, the seventh number of ``stat``.

    Linux, Documentation/block/stat.rst.
    """
    counts, up = host.text(card / "stat").split(), host.text("proc/uptime").split()
    if len(counts) < 7 or not up or float(up[0]) < _SETTLED:
        return ""
    return f", {int(counts[6]) * 512 / float(up[0]) * 86_400 / 1e6:.0f} MB a day written"


def _wear(name: str, life: str, reserve: str) -> Finding:
    """JEDEC eMMC 5.0, DEVICE_LIFE_TIME_EST: tenths of the life used, 0x0b beyond its end."""
    steps = [int(word, 16) for word in life.split()]
    if not steps or not any(steps):
        return Finding("wear", UNKNOWN, f"{name} does not tell its wear",
                       "Take a card of the 'high endurance' kind, and keep a copy; "
                       "of what is written, watch --store is to have 10 MB a day.")  # fmt: skip
    used = 10 * max(steps)
    said = f"{name}: up to {used} % of its life used"
    if reserve:
        said += f", reserve: {_PRE_EOL.get(int(reserve, 16), 'unknown')}"
    if used >= 90:
        return Finding("wear", PROBLEM, said, "Replace it now, and copy what is on it first.")
    if used >= 70:
        return Finding("wear", WARNING, said, "Plan to replace it.")
    return Finding("wear", OK, said)


def _read_only(host: Host) -> bool:
    roots = [line.split() for line in host.text("proc/mounts").splitlines()]
    return any(words[1] == "/" and "ro" in words[3].split(",") for words in roots if len(words) > 3)
