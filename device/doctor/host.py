"""The machine that is examined: its files below a root, and what only asking tells."""

import grp
import os
import pwd
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corrosion_edge.device import clock, firmware
from corrosion_edge.device.trial import ask_child

__all__ = ["Host", "Login"]


def _is_camera(path: Path) -> bool:
    from corrosion_edge.device.sources import v4l2  # needs NumPy, of which the doctor is to tell

    return v4l2.is_camera(path)


@dataclass(frozen=True, slots=True)
class Login:
    """Who asks: user, its number, and the groups this very process is in."""

    user: str
    number: int
    groups: frozenset[str]

    @classmethod
    def own(cls) -> "Login":
        """This process's."""
        numbers = {*os.getgroups(), os.getegid()}
        return cls(_user_name(), os.geteuid(), frozenset(map(_group_name, numbers)))


@dataclass(frozen=True, slots=True)
class Host:
    """What the probes may look at.

    Files are read below ``root`` only, so that a copy of a board's files will do. The functions
    are for what no file tells: ``throttled`` is the text of vcgencmd, ``child`` see
    ``ask_child``, ``disk`` gives (bytes in all, bytes free) of a folder, ``synchronised`` and
    ``now`` (seconds since 1970) are the clock's, ``camera`` whether a device captures, and
    ``may_open`` whether this user may use it. ``folder`` is where results are to be stored.
    """

    root: Path = Path("/")
    login: Login = field(default_factory=Login.own)
    folder: Path = Path("/")
    throttled: Callable[[], str] = firmware.ask_vcgencmd
    child: Callable[..., Mapping[str, Any]] = lambda what, *words: ask_child(what, 2.5, *words)
    disk: Callable[[Path], tuple[int, int]] = lambda path: shutil.disk_usage(path)[::2]
    synchronised: Callable[[], bool | None] = clock.is_synchronised
    now: Callable[[], float] = time.time
    camera: Callable[[Path], bool] = _is_camera
    may_open: Callable[[Path], bool] = lambda path: os.access(path, os.R_OK | os.W_OK)

    def path(self, name: str) -> Path:
        """The file called ``/name`` on the machine."""
        return self.root / name.lstrip("/")

    def glob(self, pattern: str) -> list[Path]:
        """The files that fit, in order."""
        return sorted(self.root.glob(pattern.lstrip("/")))

    def text(self, name: str | Path) -> str:
        """The file's text without zero bytes and outer blanks, or '' where it cannot be read."""
        path = self.path(name) if isinstance(name, str) else name
        try:
            return path.read_text(errors="replace").replace("\0", "").strip()
        except OSError:
            return ""

    @property
    def board(self) -> str:
        """The device tree's name of the board; empty on a PC."""
        return self.text("proc/device-tree/model")

    @property
    def is_raspberry_pi(self) -> bool:
        """Whether the board calls itself so."""
        return self.board.startswith("Raspberry Pi")


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _group_name(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
