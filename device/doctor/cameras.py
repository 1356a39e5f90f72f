"""Probes of V4L2 cameras, of the Edge TPU, and of the user's rights to either."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from corrosion_edge.device.accelerator.attached import USB_3, Coral, corals, usb_nodes
from corrosion_edge.device.accelerator.delegate import LIBRARY, Delegate
from corrosion_edge.device.accelerator.probe import outcome_of
from corrosion_edge.device.doctor.finding import OK, PROBLEM, UNKNOWN, WARNING, Finding
from corrosion_edge.device.doctor.host import Host

__all__ = ["edge_tpu", "groups", "video"]

_FOLDERS = ("usr/lib", "usr/lib/*-linux-gnu*", "usr/local/lib", "lib", "lib/*-linux-gnu*")
_MACHINES = {183: "aarch64", 40: "32-bit Arm", 62: "x86-64"}  # e_machine in elf(5)


def _holder(devices: Sequence[Path], processes: Path) -> str:
    from corrosion_edge.device.sources import v4l2  # needs NumPy, of which the doctor is to tell

    return v4l2.holder(devices, processes)


def _locker(devices: Sequence[Path], processes: Path) -> str:
    from corrosion_edge.device.sources import v4l2

    return v4l2.locker(devices, processes)


def video(host: Host) -> Iterator[Finding]:
    """The video devices that really capture, and who holds them."""
    nodes = [path for path in host.glob("dev/video*") if path.name[5:].isdigit()]
    closed = [path for path in nodes if not host.may_open(path)]
    found = [path for path in nodes if path not in closed and host.camera(path)]
    for path in found:
        yield _camera(host, path)
    if closed:
        yield Finding("cameras", PROBLEM, f"{_names(closed)}: permission denied",
                      "Run 'sudo usermod -aG video $USER' and log in again.")  # fmt: skip
    elif not found:
        said = f"none among {len(nodes)} video devices" if nodes else "no V4L2 camera"
        yield Finding("cameras", OK, said, "Plug a USB camera in, if one is wanted.")
    yield from _held_media(host)


def edge_tpu(host: Host) -> Iterator[Finding]:
    """The delegate's library, and Corals on the USB with the speed of their bus, or on PCIe."""
    devices = [_coral(coral) for coral in corals(host.root)]
    library = _library(host)
    if not devices:
        yield Finding("edge tpu", OK, f"none attached; {library or f'no {LIBRARY}'}")
    elif not library:
        yield Finding("edge tpu", WARNING, f"{devices[0].found}; no {LIBRARY}",
                      "Install the Edge TPU runtime, libedgetpu1-std.")  # fmt: skip
    else:
        yield from devices
        yield _for_this_machine(host, library)


def groups(host: Host) -> Iterator[Finding]:
    """Whether the user is in the groups that own cameras, pins and USB devices."""
    login = host.login
    if login.number == 0:
        yield Finding("groups", OK, f"{login.user} may use every device")
        return
    there = _members(host)
    wanted = [name for name in ("video", "gpio", "plugdev") if name in there]
    missing = [name for name in wanted if name not in login.groups]
    if not missing:
        yield Finding("groups", OK, f"{login.user} is in {', '.join(wanted) or 'no group needed'}")
        return
    fresh = [name for name in missing if login.user in there[name]]
    advice = f"Run 'sudo usermod -aG {','.join(missing)} {login.user}' and log in again."
    if fresh == missing:
        advice = "Log in again, to take the new groups on."
    yield Finding("groups", WARNING, f"{login.user} is not in {', '.join(missing)}", advice)


def _camera(host: Host, path: Path) -> Finding:
    name = host.text(f"sys/class/video4linux/{path.name}/name") or "camera"
    where = f"/dev/{path.name} {name}"
    if user := _holder([path], host.path("proc")):
        return Finding("cameras", WARNING, f"{where}, held by {user}", "End that program first.")
    return Finding("cameras", OK, where)


def _held_media(host: Host) -> Iterator[Finding]:
    devices, processes = host.glob("dev/media*"), host.path("proc")
    if not host.is_raspberry_pi:
        return
    if user := _locker(devices, processes):
        held = f"held by {user}"
    elif user := _holder(devices, processes):
        held = f"perhaps held by {user}"
    else:
        return
    yield Finding("cameras", WARNING, f"the Raspberry Pi cameras: {held}",
                  "End that program first.")  # fmt: skip


def _coral(coral: Coral) -> Finding:
    if coral.mbit is None or coral.mbit >= USB_3:
        return Finding("edge tpu", OK, str(coral))
    return Finding("edge tpu", WARNING, str(coral),
                   "Use a blue port and a USB 3 cable: USB 2 is about 3 times slower.")  # fmt: skip


def _library(host: Host) -> str:
    found = [path for folder in _FOLDERS for path in host.glob(f"{folder}/{LIBRARY}")]
    return f"/{found[0].relative_to(host.root)}" if found else ""


def _for_this_machine(host: Host, library: str) -> Finding:
    """Whether the library is for the processor of Python itself (elf(5): e_machine at 18)."""
    own, other = _machine(Path("/proc/self/exe")), _machine(host.path(library))
    if own == other:
        return _tried(host, library)
    here, there = (_MACHINES.get(kind, f"machine {kind}") for kind in (own, other))
    advice = f"Install libedgetpu1-std for {here}."
    return Finding("edge tpu", PROBLEM, f"{library} is for {there}", advice)


def _tried(host: Host, library: str) -> Finding:
    """What a process of its own that loads it comes to; not while somebody uses the Coral."""
    if user := _holder([*host.glob("dev/apex_*"), *usb_nodes(host.root)], host.path("proc")):
        return Finding("edge tpu", OK, f"{library}; in use by {user}, so not tried")
    try:
        outcome = outcome_of(Delegate(library), lambda: _answered(host, library))
    except _Unanswered as error:
        return Finding("edge tpu", UNKNOWN, f"{library}: {error}", "At its first use a Coral takes "
                       "some seconds: run with --patience 30. After that, it hangs.")  # fmt: skip
    if outcome.works:
        return Finding("edge tpu", OK, outcome.sentence)
    return Finding("edge tpu", PROBLEM, outcome.sentence, "Unplug the Coral and plug it in again; "
                   "install the runtime, libedgetpu1-std, for this very system.")  # fmt: skip


class _Unanswered(Exception):  # noqa: N818 - the doctor's patience is short
    pass


def _answered(host: Host, library: str) -> Mapping[str, Any]:
    try:
        return host.child("delegate", library, "")
    except TimeoutError as error:
        raise _Unanswered(str(error)) from None


def _machine(path: Path) -> int:
    with path.open("rb") as file:
        head = file.read(20)
    if head[:4] != b"\x7fELF":
        raise ValueError(f"{path}: not a shared library")
    return int(struct.unpack_from("<H", head, 18)[0])


def _members(host: Host) -> dict[str, list[str]]:
    lines = [line.split(":") for line in host.text("etc/group").splitlines()]
    return {words[0]: words[3].split(",") for words in lines if len(words) == 4}


def _names(paths: list[Path]) -> str:
    return ", ".join(f"/dev/{path.name}" for path in paths)
