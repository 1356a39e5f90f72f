"""What ``--camera`` may name, told by its spelling and by what lies at a path."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from corrosion_edge.device.sources.address import is_readable, redacted
from corrosion_edge.errors import NoSuchSource, UsageError

__all__ = [
    "is_device",
    "is_folder",
    "is_live_kind",
    "picamera2_number",
    "require_distinct",
    "require_known",
]

_PICAMERA2: Final = r"picamera2(?::(\d{1,3}))?"
_OTHER_NAME: Final = r"([^/=]*)=."  # what stands before it would have been taken off as a name


def picamera2_number(spec: str) -> int | None:
    """The number of the Raspberry Pi camera that is named; None for anything else."""
    found = re.fullmatch(_PICAMERA2, spec, re.ASCII)
    return int(found[1] or 0) if found else None


def is_device(path: Path) -> bool:
    """Whether the path is one of a device, there or not, or a link to one (OSError)."""
    if path.is_relative_to("/dev") or path.is_char_device():
        return True
    try:
        real = Path(os.path.realpath(path))
    except ValueError:  # a null byte in it
        return False
    return real.is_relative_to("/dev") and not (real.is_file() or real.is_dir())


def is_live_kind(spec: str) -> bool:
    """Whether it names a camera or a stream, which may be live, and not a file or the demo."""
    if spec == "auto" or "://" in spec or picamera2_number(spec) is not None:
        return True
    return _is_device(spec)


def is_folder(spec: str) -> bool:
    """Whether it names a folder that is there, and not one of the words for something else."""
    try:
        return spec != "demo" and not is_live_kind(spec) and Path(spec).is_dir()
    except (OSError, ValueError):  # a name that is too long, or may not be looked at
        return False


def require_known(spec: str) -> None:
    """NoSuchSource for what is spelled like no source that is read."""
    if (named := re.match(_OTHER_NAME, spec)) and not _exists(spec):
        wrong = f"{named[1]!r} is no name for a camera" if named[1] else "no name stands before ="
        rule = "up to 32 letters, digits, '-' and '_'"
        raise NoSuchSource(f"{named[1]}=…: {wrong}; write NAME=SOURCE, the name with {rule}")
    if "://" in spec and not is_readable(spec):
        only = "only rtsp, rtsps, http and https addresses are read"
        raise NoSuchSource(f"{redacted(spec)}: {only}")
    if spec.startswith("picamera2:") and picamera2_number(spec) is None and not _exists(spec):
        raise NoSuchSource(f"{spec}: expected picamera2 or picamera2:N, N being 0 to 999")


def require_distinct(sources: Mapping[str, str]) -> None:
    """UsageError where two names mean one device, which has one reader at a time.

    What ``auto`` finds is not known yet: it is the same only as another ``auto``.
    """
    seen: dict[str, str] = {}
    for name, spec in sources.items():
        if (device := _device_of(spec)) in seen:
            other = f"{seen[device]}={sources[seen[device]]}"
            raise UsageError(
                f"--camera {name}={spec}: the same camera as {other}; name each camera once"
            )
        if device:
            seen[device] = name


def _device_of(spec: str) -> str:
    """What all names of one device have in common; '' for what may be read twice."""
    if (number := picamera2_number(spec)) is not None:
        return f"picamera2:{number}"
    if spec == "auto":
        return spec
    return os.path.realpath(spec) if "://" not in spec and _is_device(spec) else ""


def _is_device(spec: str) -> bool:
    try:
        return is_device(Path(spec))
    except (OSError, ValueError):
        return False


def _exists(spec: str) -> bool:
    try:
        return Path(spec).exists()
    except (OSError, ValueError):
        return False
