"""Which Edge TPUs are plugged into a machine, read from its files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["USB_3", "Coral", "corals", "in_use", "usb_nodes"]

USB_3: Final = 5000
"""Mbit/s of USB 3 and more: /sys/bus/usb/devices/*/speed (Linux's ABI documentation)."""

_KINDS: Final = {
    ("1a6e", "089a"): "not yet initialised",  # until its firmware is loaded by the first use
    ("18d1", "9302"): "initialised",
}
"""Vendor and product, and what they mean."""


@dataclass(frozen=True, slots=True)
class Coral:
    """One of them: on ``USB`` in a ``state``, at ``mbit`` a second if that is known, or on PCIe."""

    bus: str
    state: str = ""
    mbit: int | None = None
    node: str = ""

    def __str__(self) -> str:
        if self.bus != "USB":
            return f"Coral on {self.bus}, {self.node}"
        if self.mbit is None:
            return f"Coral USB, {self.state}, bus speed unknown"
        usb = 3 if self.mbit >= USB_3 else 2
        return f"Coral USB, {self.state}, at {self.mbit} Mbit/s (USB {usb})"


def corals(root: Path) -> list[Coral]:
    """Those on USB, then those on PCIe, of the machine whose files lie below ``root``."""
    return [*_usb(root), *_pcie(root)]


def usb_nodes(root: Path) -> Iterator[Path]:
    """The USB device files of Corals: /dev/bus/usb/BUS/DEVICE, three digits each."""
    for device in _devices(root):
        numbers = _text(device / "busnum"), _text(device / "devnum")
        if all(number.isdigit() for number in numbers):
            yield root / "dev/bus/usb/{:03}/{:03}".format(*map(int, numbers))


def in_use(root: Path) -> bool:
    """Whether a process has a Coral's USB interface: then its driver is the kernel's usbfs."""
    places = [place for device in _devices(root) for place in device.glob("*:*/driver")]
    return any(place.resolve().name == "usbfs" for place in places)


def _usb(root: Path) -> Iterator[Coral]:
    for device in _devices(root):
        speed = _text(device / "speed")
        yield Coral("USB", _KINDS[_kind(device)], int(speed) if speed.isdigit() else None)


def _pcie(root: Path) -> Iterator[Coral]:
    for path in sorted(root.glob("dev/apex_*")):
        yield Coral("PCIe", node=f"/dev/{path.name}")


def _devices(root: Path) -> list[Path]:
    found = sorted(root.glob("sys/bus/usb/devices/*"))
    return [device for device in found if _kind(device) in _KINDS]


def _kind(device: Path) -> tuple[str, str]:
    return _text(device / "idVendor"), _text(device / "idProduct")


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
