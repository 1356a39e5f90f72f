"""What machine it was: read from /proc, /sys and /etc, never guessed.

Every function takes the root of the file system, so that a copy of a board's files will do, and
gives the string "unavailable" for what cannot be read.
"""

import importlib.metadata
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from corrosion_edge.benchmarks.samples import UNAVAILABLE
from corrosion_edge.benchmarks.state import ROOT, Fact, first_match, mhz, of_each_policy, text_of
from corrosion_edge.device.accelerator.attached import corals
from corrosion_edge.device.firmware import supply_milliamperes

__all__ = ["Machine", "read_machine"]

# Main ID register parts of Arm Ltd. (implementer 0x41), as in Linux's arch/*/include/asm/cputype.h
_ARM_PARTS: Final = {
    0xB76: "ARM1176", 0xC07: "Cortex-A7", 0xD03: "Cortex-A53", 0xD04: "Cortex-A35",
    0xD05: "Cortex-A55", 0xD07: "Cortex-A57", 0xD08: "Cortex-A72", 0xD09: "Cortex-A73",
    0xD0A: "Cortex-A75", 0xD0B: "Cortex-A76", 0xD41: "Cortex-A78",
}  # fmt: skip
_INT8: Final = (
    "neon", "asimd", "asimddp", "i8mm", "sve", "sve2", "sme",
    "avx2", "avx_vnni", "avx512bw", "avx512_vnni", "amx_int8",
)  # fmt: skip
"""As /proc/cpuinfo names them: asimddp is SDOT and UDOT, i8mm SMMLA, vnni VPDPBUSD."""

_HYPERVISORS: Final = ("qemu", "vmware", "xen", "innotek", "amazon ec2", "google", "microsoft corp")
_RUNTIMES: Final = ("ai-edge-litert", "tflite-runtime")


@dataclass(frozen=True, slots=True)
class Machine:
    """What does not change while measuring; ``memory_bytes`` is all of the machine's memory.

    ``cores`` counts the cores this process may use; ``frequency_limits_mhz`` gives the lowest and
    highest clock of each group of cores. ``board_revision`` is a Raspberry Pi's code, ``soc`` the
    device tree's name of it; ``int8_extensions`` are those instruction sets of the processor that
    matter for int8 networks; ``accelerators`` are the Edge TPUs plugged in, with the speed of their
    bus; ``power_supply`` is what it promised to the board; ``virtual`` whether it is a virtual
    machine. Whatever cannot be read is "unavailable".
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
    board_revision: str = UNAVAILABLE
    soc: str = UNAVAILABLE
    int8_extensions: str = UNAVAILABLE
    accelerators: str = UNAVAILABLE
    power_supply: str = UNAVAILABLE
    virtual: Literal["yes", "no", "unavailable"] = UNAVAILABLE


def read_machine(root: Path = ROOT) -> Machine:
    """The machine's facts."""
    return Machine(
        board=_board(root),
        cpu=_cpu(root),
        cores=len(os.sched_getaffinity(0)),
        governor=of_each_policy(root, "scaling_governor"),
        frequency_limits_mhz=_frequency_limits(root),
        memory_bytes=_memory(root),
        os=first_match(root / "etc/os-release", r'^PRETTY_NAME="?([^"\n]+)"?'),
        kernel=text_of(root / "proc/sys/kernel/osrelease"),
        architecture=platform.machine() or UNAVAILABLE,
        python=f"{platform.python_implementation()} {platform.python_version()}",
        numpy=_version("numpy"),
        pillow=_version("pillow"),
        runtime=_runtime(),
        board_revision=first_match(root / "proc/cpuinfo", r"^Revision\s*:\s*([0-9a-fA-F]+)$"),
        soc=(_compatible(root) or [UNAVAILABLE])[-1],
        int8_extensions=_int8_extensions(root),
        accelerators=", ".join(map(str, corals(root))) or "none",
        power_supply=_power_supply(root),
        virtual=_virtual(root),
    )


def _board(root: Path) -> str:
    """The device tree's model, or on a PC the maker and product of its firmware's tables."""
    if (model := text_of(root / "proc/device-tree/model")) != UNAVAILABLE:
        return model
    names = [text_of(root / "sys/class/dmi/id" / name) for name in ("sys_vendor", "product_name")]
    return " ".join(name for name in names if name != UNAVAILABLE) or UNAVAILABLE


def _cpu(root: Path) -> str:
    cpuinfo = root / "proc/cpuinfo"
    part = first_match(cpuinfo, r"^CPU part\s*:\s*(0x[0-9a-fA-F]+)")
    maker = first_match(cpuinfo, r"^CPU implementer\s*:\s*(0x[0-9a-fA-F]+)")
    if UNAVAILABLE in (part, maker):
        return first_match(cpuinfo, r"^model name\s*:\s*(.+)$")
    known = _ARM_PARTS.get(int(part, 16)) if int(maker, 16) == 0x41 else None
    return f"Arm {known}" if known else f"implementer {maker}, part {part}"


def _compatible(root: Path) -> list[str]:
    """The device tree's names of the machine, from the board to the chip; none on a PC."""
    try:
        names = (root / "proc/device-tree/compatible").read_text(errors="replace")
    except OSError:
        return []
    return [name for name in names.split("\0") if name.strip()]


def _features(root: Path) -> list[str]:
    """The processor's features as the kernel names them: of Arm, or of x86."""
    told = first_match(root / "proc/cpuinfo", r"^(?:Features|flags)\s*:\s*(.+)$")
    return [] if told == UNAVAILABLE else told.split()


def _int8_extensions(root: Path) -> str:
    features = _features(root)
    known = [name for name in _INT8 if name in features]
    return ", ".join(known) or ("none" if features else UNAVAILABLE)


def _power_supply(root: Path) -> str:
    promised = supply_milliamperes(root)
    return UNAVAILABLE if promised is None else f"{promised} mA"


def _virtual(root: Path) -> Literal["yes", "no", "unavailable"]:
    """By x86's hypervisor bit, Arm's implementer 0x00 (software: QEMU's processor "max"), QEMU's
    device tree for virtual machines, or the maker's name.
    """
    vendor = text_of(root / "sys/class/dmi/id/sys_vendor")
    compatible, features = _compatible(root), _features(root)
    guest = {"hypervisor"} & {*features} or {"linux,dummy-virt"} & {*compatible}
    software = first_match(root / "proc/cpuinfo", r"^CPU implementer\s*:\s*(0x00)$")
    if guest or software != UNAVAILABLE or vendor.lower().startswith(_HYPERVISORS):
        return "yes"
    return "no" if compatible or (vendor != UNAVAILABLE and features) else UNAVAILABLE


def _frequency_limits(root: Path) -> str:
    low = of_each_policy(root, "cpuinfo_min_freq", mhz)
    high = of_each_policy(root, "cpuinfo_max_freq", mhz)
    return UNAVAILABLE if UNAVAILABLE in (low, high) else f"{low} to {high}"


def _memory(root: Path) -> Fact:
    kib = first_match(root / "proc/meminfo", r"^MemTotal:\s*(\d+) kB")
    return int(kib) * 1024 if kib != UNAVAILABLE else UNAVAILABLE


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return UNAVAILABLE


def _runtime() -> str:
    known = [(name, _version(name)) for name in _RUNTIMES]
    return next((f"{n} {v}" for n, v in known if v != UNAVAILABLE), UNAVAILABLE)
