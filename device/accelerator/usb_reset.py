"""Resetting the USB port of an Edge TPU: the kernel then sets the device up anew."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from corrosion_edge.device.accelerator.attached import corals, in_use, usb_nodes

__all__ = ["RESET", "USBDEVFS_RESET", "reset_usb"]

USBDEVFS_RESET: Final = ord("U") << 8 | 20
"""_IO('U', 20) of linux/usbdevice_fs.h; where _IO has no other bits (x86, arm), 0x5514."""

RESET: Final = "the USB device was reset"
_REFUSED: Final = (
    "its USB device could not be reset ({why}); a udev rule gives it to a group of this user, "
    "see docs/edgetpu.md"
)
_FAILED: Final = "its USB device could not be reset ({why})"
_PCIE: Final = "one on PCIe cannot be reset from here"
_SEVERAL: Final = "several Edge TPUs are on USB, and none was reset: which one failed is not known"
_IN_USE: Final = "another program uses its USB device, which was not reset"


def reset_usb(
    root: Path = Path("/"),
    device: str = "",
    ioctl: Callable[[int, int], object] = fcntl.ioctl,
) -> str:
    """Reset the one Edge TPU on USB of the machine below ``root``; what was done, in words.

    '' where there is none. ``device`` is what the delegate is asked for (``pci`` is left alone).
    May take seconds, or hang in the kernel: for a process of its own.
    """
    nodes = [] if device.startswith("pci") else list(usb_nodes(root))
    if not nodes:
        return _PCIE if any(coral.bus == "PCIe" for coral in corals(root)) else ""
    if len(nodes) > 1:
        return _SEVERAL
    if in_use(root):
        return _IN_USE
    try:
        _reset(nodes[0], ioctl)
    except PermissionError as error:
        return _REFUSED.format(why=error.strerror)
    except OSError as error:
        return _FAILED.format(why=error.strerror)
    return RESET


def _reset(node: Path, ioctl: Callable[[int, int], object]) -> None:
    handle = os.open(node, os.O_WRONLY | os.O_CLOEXEC)  # the kernel wants it open for writing
    try:
        ioctl(handle, USBDEVFS_RESET)
    finally:
        os.close(handle)
