"""What installing and uninstalling do, as steps that can be shown before they are taken."""

import os
import re
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from corrosion_edge.errors import OutputError

__all__ = ["Link", "Remove", "Run", "Step", "Write"]


class Step(Protocol):
    """One thing to do below a root."""

    @property
    def told(self) -> str:
        """What it will do, in a line."""

    def take(self, root: Path) -> None:
        """Do it (OutputError if it cannot be done)."""


@dataclass(frozen=True, slots=True)
class Write(Step):
    """Write a file, whole or not at all, that belongs to the ``group`` of the machine, if any."""

    path: Path
    content: str
    mode: int = 0o644
    group: str = ""

    @property
    def told(self) -> str:
        """See ``Step.told``."""
        return f"write /{self.path}"

    def take(self, root: Path) -> None:
        """See ``Step.take``."""
        path = root / self.path
        fresh = path.with_name(f".{path.name}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(self.content)
            if self.group:
                os.chown(fresh, -1, _group_number(root, self.group))
            fresh.chmod(self.mode)
            fresh.replace(path)
        except OSError as error:
            with suppress(OSError):
                fresh.unlink()
            if isinstance(error, OutputError):
                raise
            raise OutputError(f"{path}: cannot be written ({error.strerror})") from None


def _group_number(root: Path, name: str) -> int:
    """The group's number on the machine below ``root`` (OutputError if it is not there)."""
    found = re.search(rf"(?m)^{name}:[^:]*:(\d+):", (root / "etc/group").read_text())
    if not found:
        raise OutputError(f"{root}/etc/group has no {name}")
    return int(found[1])


@dataclass(frozen=True, slots=True)
class Link(Step):
    """Make a symbolic link to ``target``, an absolute path of the machine."""

    path: Path
    target: Path

    @property
    def told(self) -> str:
        """See ``Step.told``."""
        return f"link  /{self.path} -> {self.target}"

    def take(self, root: Path) -> None:
        """See ``Step.take``."""
        path = root / self.path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.symlink_to(self.target)
        except OSError as error:
            raise OutputError(f"{path}: cannot be made ({error.strerror})") from None


@dataclass(frozen=True, slots=True)
class Remove(Step):
    """Remove a file, or with ``whole`` a folder and all in it, or a folder if it is empty."""

    path: Path
    whole: bool = False

    @property
    def told(self) -> str:
        """See ``Step.told``."""
        return f"remove /{self.path}{' and all in it' if self.whole else ''}"

    def take(self, root: Path) -> None:
        """See ``Step.take``."""
        path = root / self.path
        try:
            if path.is_symlink() or path.is_file():
                path.unlink()
            elif path.is_dir() and self.whole:
                shutil.rmtree(path)
            elif path.is_dir() and not any(path.iterdir()):
                path.rmdir()
        except OSError as error:
            raise OutputError(f"{path}: cannot be removed ({error.strerror})") from None


@dataclass(frozen=True, slots=True)
class Run(Step):
    """Run a program; ``{root}`` in its words is the root."""

    words: tuple[str, ...]

    @property
    def told(self) -> str:
        """See ``Step.told``."""
        return f"run   {' '.join(self.words)}"

    def take(self, root: Path) -> None:
        """See ``Step.take``."""
        words = [word.replace("{root}", os.fspath(root)) for word in self.words]
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise OutputError(f"{words[0]}: cannot be run ({error})") from None
        if done.returncode:
            raise OutputError(f"{' '.join(words)}: {(done.stderr or done.stdout).strip()}")
