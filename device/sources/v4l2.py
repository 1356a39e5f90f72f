"""Which video devices of this machine are cameras, and what keeps one from being used."""

import ctypes
import errno
import fcntl
import os
import re
import stat
import struct
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from corrosion_edge.errors import NoSuchSource, SourceError

__all__ = [
    "OURSELVES",
    "busy",
    "cameras",
    "free_buffers",
    "holder",
    "is_camera",
    "locker",
    "require_camera",
    "stop_streaming",
    "unseen",
]

OURSELVES: Final = "this program itself (under another name, or by a read that hangs in its driver)"
"""Who uses a camera that this process has open already."""

# The kernel's include/uapi/linux/videodev2.h: struct v4l2_capability and its request.
_CAPABILITY = struct.Struct("=16s32s32sIII12x")
_QUERYCAP: Final = 0x80000000 | _CAPABILITY.size << 16 | ord("V") << 8
# VIDIOC_STREAMOFF is _IOW('V', 19, int) in the same file; its argument is the kind of queue.
_STREAMOFF: Final = 0x40000000 | 4 << 16 | ord("V") << 8 | 19
_QUEUE: Final = struct.pack("=i", 1)  # V4L2_BUF_TYPE_VIDEO_CAPTURE
_VIDEO_CAPTURE: Final = 0x00000001
_DEVICE_CAPS: Final = 0x80000000
_SELF: Final = Path("/proc/self")
_NO_CAMERA: Final = (errno.ENOTTY, errno.EINVAL)  # what another driver answers to the query

# Drivers of a Raspberry Pi's own pipeline. Their nodes say "capture" but deliver raw sensor data
# or wait for pictures to process; such cameras are read through picamera2.
_PIPELINE_DRIVERS: Final = frozenset({"bcm2835-isp", "unicam", "rp1-cfe", "pispbe"})


def cameras(folder: Path = Path("/dev")) -> list[Path]:
    """The video devices that are cameras, by their number."""
    found = [path for path in folder.glob("video*") if re.fullmatch(r"video\d+", path.name)]
    return [path for path in sorted(found, key=lambda path: int(path.name[5:])) if is_camera(path)]


def is_camera(path: Path) -> bool:
    """Whether the device captures pictures (a device that cannot be asked does not)."""
    try:
        driver, capabilities = _query(path)
    except OSError:
        return False
    return bool(capabilities & _VIDEO_CAPTURE) and driver not in _PIPELINE_DRIVERS


def require_camera(path: Path) -> None:
    """Raise SourceError, saying why, if the device cannot be opened or is no camera.

    NoSuchSource is for what no plugging in makes a camera; a node that captures nothing may get
    another number at the next start.
    """
    try:
        if not stat.S_ISCHR(path.stat().st_mode):
            raise NoSuchSource(f"{path}: not a device")
        _, capabilities = _query(path)
    except SourceError:
        raise
    except OSError as error:
        kind = NoSuchSource if error.errno in _NO_CAMERA else SourceError
        raise kind(f"{path}: {_why(path, error)}") from None
    if not capabilities & _VIDEO_CAPTURE:
        raise SourceError(f"{path}: this device captures no pictures; {_others()}")


def holder(paths: Iterable[Path], proc: Path = Path("/proc")) -> str:
    """The other process that has one of the files open, as 'name (process 123)', or ''.

    The list of open files of each process is read; those of other users only root may read.
    """
    wanted = {os.path.realpath(path) for path in paths}
    for process in proc.glob("[0-9]*"):
        if int(process.name) != os.getpid() and _has_open(process, wanted):
            return f"{_name(process)} (process {process.name})"
    return ""


def locker(paths: Iterable[Path], proc: Path = Path("/proc")) -> str:
    """The other process that has locked one of the files, named as by ``holder``, or ''.

    libcamera locks the media devices of the camera that it uses (its media_device.cpp), and only
    opens those of others. The kernel lists locks for everybody (proc_locks(5)).
    """
    wanted = {_lock_name(path) for path in paths if path.exists()}
    with suppress(OSError):
        for line in (proc / "locks").read_text().splitlines():
            words = line.split()
            if words[1] == "POSIX" and words[5] in wanted and int(words[4]) != os.getpid():
                return f"{_name(proc / words[4])} (process {words[4]})"
    return ""


def busy(name: str, *paths: Path) -> str:
    """The sentence for a camera that is used already."""
    user = holder(paths)
    if not user:
        mine = _has_open(_SELF, {os.path.realpath(path) for path in paths})
        user = OURSELVES if mine else unseen()
    return f"{name}: the camera is in use by {user}; end that first"


def unseen() -> str:
    """Who uses a camera where no process is seen that does."""
    return "another program" + ("" if os.geteuid() == 0 else " (as root, its name is shown)")


def stop_streaming(path: Path) -> bool:
    """End this process's stream from the device, which frees a read that waits for a frame.

    The kernel wakes whoever waits for a buffer of a queue that is turned off. FFmpeg, which holds
    the handle, has no call for that, so the handle is looked up among those of this process.
    Whether there was one.
    """
    found = False
    for handle in (_SELF / "fd").iterdir():
        with suppress(OSError):
            if os.path.realpath(handle) == os.path.realpath(path):
                fcntl.ioctl(int(handle.name), _STREAMOFF, _QUEUE)
                found = True
    return found


def free_buffers(path: Path) -> int:
    """Unmap what a failed opening left mapped of the device; how many buffers.

    FFmpeg's V4L2 reader closes the handle of a camera whose stream cannot be started, but keeps
    its buffers (v4l2_read_header() of libavdevice/v4l2.c). To the kernel they hold the camera,
    which is in use until this process ends. Nothing is touched while a handle is open here.
    """
    wanted = {os.path.realpath(path)}
    mapped = [] if _has_open(_SELF, wanted) else _mapped(wanted)
    if not mapped or _has_open(_SELF, wanted):  # meanwhile, by another thread
        return 0
    unmap = ctypes.CDLL(None).munmap
    unmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
    for start, end in mapped:
        unmap(start, end - start)
    return len(mapped)


def _query(path: Path) -> tuple[str, int]:
    handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        answer = fcntl.ioctl(handle, _QUERYCAP, bytes(_CAPABILITY.size))
    finally:
        os.close(handle)
    driver, _, _, _, everything, this_node = _CAPABILITY.unpack(answer)
    capabilities = this_node if everything & _DEVICE_CAPS else everything
    return driver.split(b"\0")[0].decode("ascii", "replace"), capabilities


def _why(path: Path, error: OSError) -> str:
    if error.errno in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        return f"no such device; {_others()}"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "permission denied; run 'sudo usermod -aG video $USER' and log in again"
    if error.errno == errno.EBUSY:
        return busy("busy", path).removeprefix("busy: ")
    if error.errno in _NO_CAMERA:
        return f"this device is no camera; {_others()}"
    return f"cannot be opened ({error.strerror})"


def _others() -> str:
    found = ", ".join(map(str, cameras()))
    return f"cameras here: {found}" if found else "no other camera is here"


def _mapped(wanted: set[str]) -> list[tuple[int, int]]:
    """Where this process has files of these names mapped, from and to."""
    try:
        lines = (_SELF / "maps").read_text().splitlines()
    except OSError:
        return []
    found = [line.split(maxsplit=5) for line in lines]
    places = [each[0].split("-") for each in found if each[5:] and each[5] in wanted]
    return [(int(start, 16), int(end, 16)) for start, end in places]


def _lock_name(path: Path) -> str:
    """A file as the kernel's list of locks calls it."""
    facts = path.stat()
    return f"{os.major(facts.st_dev):02x}:{os.minor(facts.st_dev):02x}:{facts.st_ino}"


def _has_open(process: Path, wanted: set[str]) -> bool:
    try:
        return any(os.path.realpath(handle) in wanted for handle in (process / "fd").iterdir())
    except OSError:  # it ended, or belongs to someone else
        return False


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "a program"
