"""Which steps install and uninstall the service on a machine, or below another root."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from corrosion_edge.device.service.steps import Link, Remove, Run, Step, Write
from corrosion_edge.device.service.unit import CONFIG, MARK, NAME, STATE, UNIT, Unit
from corrosion_edge.errors import OutputError, UsageError

__all__ = ["Place", "install", "take", "uninstall"]

_WANTED: Final = Path("etc/systemd/system/multi-user.target.wants/corrosion-edge.service")
_USERS: Final = Path("etc/sysusers.d/corrosion-edge.conf")
_GROUPS: Final = ("video", "render", "gpio", "plugdev", "apex")
_SERVICE: Final = f"{NAME}.service"


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is installed: ``root`` is "/" or the folder of an image's root file system."""

    root: Path
    own_user: Callable[[], int] = os.geteuid

    @property
    def live(self) -> bool:
        """Whether it is this machine, with systemd running."""
        return self.root == Path("/") and Path("/run/systemd/system").is_dir()

    @property
    def systemd(self) -> int:
        """The version of its systemd, from the name of its library; 0 where there is none."""
        places = ("usr/lib/systemd", "usr/lib/*/systemd", "lib/systemd")
        found = [path.name for p in places for path in self.root.glob(f"{p}/libsystemd-shared-*")]
        versions = (re.search(r"shared-(\d+)", name) for name in found)
        return max((int(version[1]) for version in versions if version), default=0)

    @property
    def groups(self) -> list[str]:
        """Those of the groups that own devices which are there: systemd refuses others."""
        return [name for name in _GROUPS if re.search(rf"(?m)^{name}:", self._text("etc/group"))]

    @property
    def has_user(self) -> bool:
        """Whether the service's user is there."""
        return bool(re.search(rf"(?m)^{NAME}:", self._text("etc/passwd")))

    def require_rights(self) -> None:
        """UsageError, with the way out, where this user may not change the machine."""
        if self.root == Path("/") and self.own_user() != 0:
            raise UsageError("only root may do this; run it again with sudo and the full path of "
                             "this program, or look with --dry-run")  # fmt: skip
        if not self.root.is_dir():
            raise UsageError(f"--root: {self.root} is no folder")

    def require_own_unit(self) -> None:
        """UsageError if there is a unit that this program did not write."""
        path = self.root / UNIT
        if path.exists() and MARK not in path.read_text(errors="replace"):
            raise UsageError(f"{path} was not written by this program; move it away first")

    def _text(self, name: str) -> str:
        try:
            return (self.root / name).read_text(errors="replace")
        except OSError:
            return ""


def install(place: Place, program: Path, config: str, memory: int) -> Iterator[Step]:
    """The steps that install it; ``config`` is the text for a configuration that is not there yet.

    Raises UsageError where the program cannot be run by the service's user, or a configuration
    that is there has mistakes: a service that cannot start is not installed.
    """
    place.require_own_unit()
    _require_open(place.root, program)
    if (place.root / CONFIG).exists():
        _require_sound(place.root / CONFIG)
    try:
        unit = Unit(program, place.groups, place.systemd, memory)
    except ValueError as error:
        raise UsageError(str(error)) from None
    yield Write(_USERS, f'{MARK}\nu {NAME} - "Corrosion watcher" /{STATE}\n')
    if not place.has_user:
        yield Run(("systemd-sysusers", "--root={root}", _USERS.name))
    if not (place.root / CONFIG).exists():
        yield Write(CONFIG, config, 0o640, NAME)
    yield Write(UNIT, unit.text)
    yield Link(_WANTED, Path("/", UNIT))
    if place.live:
        yield Run(("systemctl", "daemon-reload"))
        yield Run(("systemctl", "restart", "--no-block", _SERVICE))


def _require_sound(config: Path) -> None:
    """UsageError, with all mistakes and their lines, for a configuration that watch refuses."""
    from corrosion_edge.device.config.asked import asked_of

    try:
        asked_of(config)
    except (UsageError, click.UsageError) as error:
        said = error.format_message() if isinstance(error, click.UsageError) else str(error)
        raise UsageError(f"{said}\nIt would keep the service from starting: mend it, or move it "
                         "away for a new one; nothing was installed") from None  # fmt: skip


def uninstall(place: Place, purge: bool) -> Iterator[Step]:
    """The steps that undo it; configuration, data and user stay unless ``purge``."""
    place.require_own_unit()
    there = (place.root / UNIT).exists()
    if place.live and there:
        yield Run(("systemctl", "stop", _SERVICE))
    for path in (_WANTED, UNIT, _USERS):
        if os.path.lexists(place.root / path):
            yield Remove(path)
    if place.live and there:
        yield Run(("systemctl", "daemon-reload"))
    if purge:
        yield from _purge(place)


def _purge(place: Place) -> Iterator[Step]:
    for path, whole in ((CONFIG, False), (CONFIG.parent, False), (STATE, True)):
        if (place.root / path).exists():
            yield Remove(path, whole)
    if place.has_user:
        yield Run(("userdel", "--prefix", "{root}", NAME))


def _require_open(root: Path, program: Path) -> None:
    """UsageError if another user may not get at the program, as in somebody's home."""
    if not program.is_absolute() or not (root / program.relative_to("/")).is_file():
        raise UsageError(f"--program: {program} is no file below {root}")
    if program.parts[1] in ("home", "root"):
        raise UsageError(f"{program} lies in a home, which the service may not enter; install it "
                         "under /opt, as docs/raspberry-pi.md says")  # fmt: skip
    interpreter = _interpreter(root / program.relative_to("/"))
    if interpreter and interpreter.parts[1] in ("home", "root"):
        raise UsageError(f"{program} runs {interpreter}, in a home, which the service may not "
                         "enter; make its environment with /usr/bin/python3")  # fmt: skip
    for path in (program, *program.parents):
        if not (root / path.relative_to("/")).stat().st_mode & 0o001:
            raise UsageError(f"{path}: other users may not enter or run it, so the service's own "
                             f"cannot; run: sudo chmod o+rx {path}")  # fmt: skip


def _interpreter(program: Path) -> Path | None:
    """What a script's first line names, links followed; None for what is no script."""
    with program.open("rb") as content:
        first = content.readline(4096)
    if not first.startswith(b"#!/"):
        return None
    return Path(os.fsdecode(first[2:].split()[0])).resolve()


def take(steps: Iterator[Step], root: Path) -> Iterator[Step]:
    """Take the steps one by one, each yielded after it is done (OutputError where one fails)."""
    for step in steps:
        if isinstance(step, Run) and shutil.which(step.words[0]) is None:
            raise OutputError(f"{step.words[0]} is not installed; it is part of systemd or Debian")
        step.take(root)
        yield step
