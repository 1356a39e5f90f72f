"""Runs in the service's place, under its own unit: what it may do there, as JSON in its folder."""

import ctypes
import errno
import json
import mmap
import os
import socket
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ALLOWED = "allowed"
CLONE_NEWUSER = 0x10000000
LIBC = ctypes.CDLL(None, use_errno=True)


def tried(action: Callable[[], object]) -> str:
    """ALLOWED, or the name of the error."""
    try:
        action()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, repr(error))
    return ALLOWED


def called(name: str, *arguments: Any) -> None:
    """Call a function of the C library that returns -1 for an error."""
    if getattr(LIBC, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), name)


def written(folder: str) -> Callable[[], object]:
    """Make a file in the folder and leave it."""
    return lambda: Path(folder, "probe").write_text("x")


def opened(path: str, flags: int = os.O_RDWR) -> Callable[[], object]:
    """Open and close."""
    return lambda: os.close(os.open(path, flags | os.O_NONBLOCK))


def _set_clock() -> None:
    time.clock_settime(time.CLOCK_REALTIME, time.clock_gettime(time.CLOCK_REALTIME))


def _ask_clock() -> None:
    """What tells whether the clock is synchronised; the structure is larger than is needed."""
    if LIBC.adjtimex(ctypes.create_string_buffer(512)) == -1:
        raise OSError(ctypes.get_errno(), "adjtimex")


def _network() -> None:
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.connect(server.getsockname())


def _set_user_bit() -> None:
    path = Path("/var/lib/corrosion-edge/bit")
    path.write_text("")
    path.chmod(0o4755)


WRITES = (
    "/", "/etc", "/etc/corrosion-edge", "/opt/corrosion-edge", "/usr", "/var/lib", "/var/log",
    "/run", "/run/lock", "/boot", "/exchange", "/dev/shm", "/tmp", "/var/tmp",
    "/var/lib/corrosion-edge",
)  # fmt: skip
OTHERS: dict[str, Callable[[], object]] = {
    "list /home": lambda: list(Path("/home/somebody").iterdir()),
    "list /root": lambda: list(Path("/root").iterdir()),
    "read the shadow file": lambda: Path("/etc/shadow").read_text(),
    "read the configuration": lambda: Path("/etc/corrosion-edge/watch.toml").read_text(),
    "open the camera": opened("/dev/video0"),
    "open the disk": opened("/dev/vda", os.O_RDONLY),
    "open the kernel's log": opened("/dev/kmsg", os.O_RDONLY),
    "open the memory": opened("/dev/mem", os.O_RDONLY),
    "open a terminal": opened("/dev/ttyS0"),
    "open /dev/null": opened("/dev/null"),
    "open /dev/urandom": opened("/dev/urandom", os.O_RDONLY),
    "make a device": lambda: os.mknod("/var/lib/corrosion-edge/null", stat.S_IFCHR | 0o600, 0x103),
    "become root": lambda: os.setuid(0),
    "set the user bit": _set_user_bit,
    "mount": lambda: called("mount", b"none", b"/tmp", b"tmpfs", 0, None),
    "make a name space": lambda: called("unshare", CLONE_NEWUSER),
    "write a kernel's setting": lambda: Path("/proc/sys/kernel/hostname").write_text("x"),
    "write in the groups of control": lambda: Path("/sys/fs/cgroup/cgroup.procs").write_text("0"),
    "set the host's name": lambda: socket.sethostname("other"),
    "set the clock": _set_clock,
    "ask for the clock": _ask_clock,
    "run in real time": lambda: os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1)),
    "memory to write and execute": lambda: mmap.mmap(
        -1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    ),
    "a raw packet": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(),
    "the network": _network,
    "signal the first process": lambda: os.kill(1, 0),
    "list the processes": lambda: list(Path("/proc").iterdir()),
}


def main() -> None:
    """Try all, and leave what came of it."""
    found = {f"write in {folder}": tried(written(folder)) for folder in WRITES}
    found |= {name: tried(action) for name, action in OTHERS.items()}
    processes = [path.name for path in Path("/proc").iterdir() if path.name.isdigit()]
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().split("\n")
                  if ":\t" in line)  # fmt: skip
    out = {"found": found, "processes": processes, "own": str(os.getpid()), "status": status,
           "groups": os.getgroups()}  # fmt: skip
    Path(sys.argv[1]).write_text(json.dumps(out))


if __name__ == "__main__":
    main()
