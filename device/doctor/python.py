"""Probes of Python, NumPy, picamera2 and the runtime."""

import importlib.util
import platform
import re
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from corrosion_edge.device.doctor.finding import OK, PROBLEM, WARNING, Finding
from corrosion_edge.device.doctor.host import Host

__all__ = ["numpy", "origin", "picamera2", "python", "runtime"]

_DEBIAN = "usr/lib/python3/dist-packages"


def python(host: Host) -> Iterator[Finding]:
    """Version, environment, and whether 32 or 64 bits."""
    bits = 8 * struct.calcsize("P")
    said = f"Python {platform.python_version()}, {bits}-bit {platform.machine()} {_source()}, "
    said += _environment()
    if bits == 32:
        yield Finding("python", WARNING, said, "Install the 64-bit system: only its runtime, "
                      "ai-edge-litert, is still maintained.")  # fmt: skip
    elif host.is_raspberry_pi and _in_venv() and not _sees_system():
        yield Finding("python", WARNING, said, "To use a Raspberry Pi camera, make the environment "
                      "anew with: python3 -m venv --system-site-packages")  # fmt: skip
    else:
        yield Finding("python", OK, said)


def numpy(host: Host) -> Iterator[Finding]:
    """NumPy's version and origin, against that which apt's picamera2 was built with."""
    try:
        import numpy as found
    except ImportError as error:
        yield Finding("numpy", PROBLEM, f"does not load ({_first_line(error)})",
                      "Run: pip install --force-reinstall numpy; on a Raspberry Pi also: sudo apt "
                      "install libopenblas0")  # fmt: skip
        return
    said = f"NumPy {found.__version__} {origin(Path(found.__file__))}"
    debian = _debian_numpy(host)
    mixed = debian and debian.split(".")[0] != found.__version__.split(".")[0]
    if mixed and _debian_picamera2(host):
        generation = int(debian.split(".")[0])
        wish = f"'numpy>=1.26,<{generation + 1}'" if generation < 2 else "'numpy>=2'"
        yield Finding("numpy", WARNING, f"{said}; apt's is {debian}, for which picamera2 is built",
                      f"If picamera2 does not load, run: pip install {wish}")  # fmt: skip
    else:
        yield Finding("numpy", OK, said)


def picamera2(host: Host) -> Iterator[Finding]:
    """Whether picamera2 loads, which cameras it sees, or why it does not."""
    if importlib.util.find_spec("picamera2") is None:
        yield _no_picamera2(host)
        return
    answer = host.child("picamera2")
    if "error" in answer:
        yield Finding("picamera2", PROBLEM if host.is_raspberry_pi else WARNING, answer["error"],
                      "Make a fresh environment with the system's own Python: /usr/bin/python3 -m "
                      "venv --system-site-packages; see docs/raspberry-pi.md")  # fmt: skip
    elif answer["cameras"]:
        found = ", ".join(f"picamera2:{n} {name}" for n, name in enumerate(answer["cameras"]))
        yield Finding("picamera2", OK, found)
    else:
        yield Finding("picamera2", WARNING if host.is_raspberry_pi else OK,
                      "loads; it sees no camera", "If one is attached, check the ribbon cable "
                      "and run: rpicam-hello --list-cameras")  # fmt: skip


def runtime(host: Host) -> Iterator[Finding]:
    """Whether a runtime loads the default model, and answers as the model's file promises."""
    answer = host.child("runtime")
    if "error" in answer:
        yield Finding("runtime", PROBLEM, answer["error"],
                      "Run: pip install --upgrade 'corrosion-edge[device]'")  # fmt: skip
    elif answer["differences"]:
        yield Finding("runtime", WARNING, f"{answer['name']}: {answer['differences'][0]}",
                      "Its figures were measured with ai-edge-litert on a 64-bit system: use that, "
                      "or measure with: corrosion-edge evaluate")  # fmt: skip
    else:
        yield Finding("runtime", OK, f"{answer['name']}; the default model answers as promised")


def origin(file: Path) -> str:
    """Where a package comes from, by its place: Debian's apt, or pip and for whom."""
    place = str(file)
    if "/dist-packages/" in place and place.startswith("/usr/lib/"):
        return "from apt"
    if _in_venv() and file.is_relative_to(sys.prefix):
        return "from pip, in this environment"
    if "/.local/" in place:
        return "from pip, of this user"
    return f"from {file.parent.parent}"


def _first_line(error: Exception) -> str:
    """NumPy's own advice takes a page."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no reason")


def _no_picamera2(host: Host) -> Finding:
    if not host.is_raspberry_pi:
        return Finding("picamera2", OK, "not installed; only Raspberry Pi cameras need it")
    if _debian_picamera2(host):
        return Finding("picamera2", WARNING, "installed by apt, but hidden from this environment",
                       "Make it with: /usr/bin/python3 -m venv --system-site-packages")  # fmt: skip
    return Finding("picamera2", WARNING, "not installed",
                   "For a Raspberry Pi camera run: sudo apt install python3-picamera2")  # fmt: skip


def _debian_picamera2(host: Host) -> bool:
    return host.path(f"{_DEBIAN}/picamera2").is_dir()


def _debian_numpy(host: Host) -> str:
    """The version of apt's NumPy, from the name of its metadata; '' without."""
    for path in host.glob(f"{_DEBIAN}/numpy-*-info"):
        if found := re.match(r"numpy-([\d.]+)[.-]", path.name):
            return found[1].rstrip(".")
    return ""


def _source() -> str:
    return "from apt" if sys.base_prefix == "/usr" else f"from {sys.base_prefix}"


def _environment() -> str:
    if not _in_venv():
        return "no virtual environment"
    return f"environment {sys.prefix} {'with' if _sees_system() else 'without'} system packages"


def _in_venv() -> bool:
    return sys.prefix != sys.base_prefix


def _sees_system() -> bool:
    try:
        told = Path(sys.prefix, "pyvenv.cfg").read_text()
    except OSError:
        return False
    return bool(re.search(r"(?im)^include-system-site-packages\s*=\s*true", told))
