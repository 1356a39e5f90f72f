"""A private git repository that photos pass through, batch by batch, on their way to a folder.

Only git's own commands are used. Nothing outside the folder is written, nothing is asked.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from corrosion_edge.errors import OutputError, SourceError

__all__ = ["Repository"]

_QUIET: Final = {
    "GIT_TERMINAL_PROMPT": "0",  # never ask for a password
    "GIT_ASKPASS": "true",
    "SSH_ASKPASS": "true",
    "GCM_INTERACTIVE": "never",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
}
_SETTINGS: Final = {
    "core.autocrlf": "false",
    "core.symlinks": "false",
    "core.hooksPath": os.devnull,
    "core.protectNTFS": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "http.lowSpeedLimit": "1000",  # bytes a second: a connection that stalls for a minute ends
    "http.lowSpeedTime": "60",
    "advice.detachedHead": "false",
}
_FULL: Final = ("No space left on device", "Disk quota exceeded")


class Repository:
    """A bare repository in ``folder`` with the newest commit of ``source``, without history.

    ``open`` takes over what an earlier run began, if that was from the same source. Photos'
    contents come when they are checked out, where the server can filter; else with the commit.
    """

    def __init__(self, folder: Path, source: str) -> None:
        self._folder = folder
        self._source = source
        self._git = folder / "git"
        self._ready = folder / "ready"
        self._commit = ""

    def open(self) -> None:
        """Fetch the newest commit, unless that is here already.

        Raises SourceError if git is missing or the source cannot be reached, OutputError if the
        disk is full.
        """
        if shutil.which("git") is None:
            raise SourceError("git is not installed; install it (apt install git) and run again")
        if self._ready.is_file():
            begun = self._ready.read_text(encoding="utf-8").splitlines()
            if len(begun) == 2 and begun[0] == self._source:
                self._commit = begun[1]
                return
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        self._run("init", "--quiet", "--bare", "--template=", str(self._git))
        self._run("remote", "add", "origin", self._source)
        self._run("fetch", "--quiet", "--depth=1", "--filter=blob:none", "--no-tags",
                  "--no-recurse-submodules", "origin", "HEAD")  # fmt: skip
        self._commit = self._run("rev-parse", "FETCH_HEAD").strip()
        (self._git / "info").mkdir(exist_ok=True)
        # Nothing that the repository says of its files may change them on the way.
        (self._git / "info" / "attributes").write_text("* -text -eol -filter -ident\n")
        self._ready.write_text(f"{self._source}\n{self._commit}\n", encoding="utf-8")

    def listing(self, folder: str) -> dict[str, str]:
        """Path below ``folder`` and blob id of each plain file of the commit (SourceError)."""
        if not self._run("ls-tree", "-d", self._commit, folder):
            raise SourceError(f"{self._source}: its newest commit has no folder {folder!r}")
        files: dict[str, str] = {}
        for entry in self._run("ls-tree", "-r", "-z", f"{self._commit}:{folder}").split("\0"):
            about, _, path = entry.partition("\t")
            if about.startswith("100"):
                files[path] = about.split()[2]
        return files

    def check_out(self, folder: str, paths: Sequence[str]) -> Path:
        """Put some files of the commit into a fresh working folder, and return its ``folder``.

        A sparse checkout of exactly these paths, so that git asks the server for their contents
        in one go, and for no other's.
        """
        work, index = self._folder / "work", self._git / "index"
        shutil.rmtree(work, ignore_errors=True)
        for left in (index, self._git / "index.lock"):  # a killed run's
            left.unlink(missing_ok=True)
        work.mkdir()
        lines = "".join(f"/{_literal(f'{folder}/{path}')}\n" for path in paths)
        (self._git / "info" / "sparse-checkout").write_text(lines, encoding="utf-8")
        sparse = ("core.bare=false", "core.sparseCheckout=1", "core.sparseCheckoutCone=0")
        settings = [word for setting in sparse for word in ("-c", setting)]
        self._run("--work-tree", str(work), *settings, "read-tree", "-m", "-u", self._commit)
        return work / folder

    def distrust(self) -> None:
        """Let the next ``open`` begin anew: what is here may be what failed."""
        self._ready.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove the repository: everything that was wanted is out of it."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, *arguments: str) -> str:
        settings = [word for k, v in _SETTINGS.items() for word in ("-c", f"{k}={v}")]
        where = [] if arguments[0] == "init" else ["--git-dir", str(self._git)]
        done = subprocess.run(
            ["git", *settings, *where, *arguments],
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            self._fail(done.stderr.decode(errors="replace"))
        return done.stdout.decode(errors="surrogateescape")

    def _fail(self, said: str) -> None:
        if any(words in said for words in _FULL):
            raise OutputError(f"{self._folder.parent}: the disk is full; make room and run again")
        lines = [line for line in said.splitlines() if line.startswith(("fatal:", "error:"))]
        reason = (lines or said.splitlines() or ["no reason given"])[0]
        raise SourceError(
            f"{self._source}: git cannot fetch from it ({reason.removeprefix('fatal: ')}); check "
            "the address and the network and run again"
        )


def _environment() -> dict[str, str]:
    """The caller's environment without what points git at another repository."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k in _ALLOWED}
    return {"GIT_SSH_COMMAND": "ssh -oBatchMode=yes"} | kept | _QUIET


_ALLOWED: Final = frozenset(
    ("GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO", "GIT_SSL_NO_VERIFY", "GIT_PROXY_COMMAND",
     "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH")
)  # fmt: skip


def _literal(path: str) -> str:
    """A path as a pattern that matches nothing else."""
    return "".join(f"\\{letter}" if letter in "\\*?[]!# " else letter for letter in path)
