"""A peer's process, as the parent holds it."""

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from corrosion_edge.benchmarks.memory import peak_bytes
from corrosion_edge.benchmarks.peers.table import Peer
from corrosion_edge.benchmarks.process import cpu_seconds
from corrosion_edge.closing import Closing
from corrosion_edge.errors import BackendError

__all__ = ["NotHere", "Running", "environment", "rigs_folder", "sealing"]

PATIENCE: Final = 300.0
"""Seconds until a silent peer counts as hanging."""

_CHECKOUT: Final = Path(__file__).resolve().parents[2]


class NotHere(Exception):  # noqa: N818 - a state, told in the peer's row
    """A peer that is not installed, or cannot be run here; the message says why."""


class Running(Closing):
    """A peer's process; a context manager that ends it.

    ``worker`` is the command that answers as ``worker`` does. Raises NotHere where it cannot run.
    """

    def __init__(self, peer: Peer, rigs: Path, worker: Sequence[str] | None = None) -> None:
        self._peer = peer
        self._told = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        command = worker or (sys.executable, "-m", f"{__package__}.worker", peer.way)
        self._process = subprocess.Popen(
            [*(sealing() if peer.sealed_off else ()), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._told,
            env=environment(rigs, peer.rig),
        )

    def ask(self, do: str, *, patience: float = PATIENCE, **fields: Any) -> dict[str, Any]:
        """Put a question and wait for its answer.

        Raises NotHere where a package is missing, BackendError, naming the peer, if it fails, ends
        or is silent for longer than ``patience`` seconds.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **fields}).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None
        if not select.select([self._process.stdout], [], [], patience)[0]:
            raise BackendError(f"{self._peer.title}: no answer within {patience:g} s")
        line = self._process.stdout.readline()
        if not line:
            raise self._ended()
        return self._checked(json.loads(line))

    @property
    def cpu_ns(self) -> int:
        """Processor time of all its threads since its spawn, while it runs."""
        return round(cpu_seconds(self._process.pid) * 1e9)

    @property
    def peak_memory_bytes(self) -> int:
        """The most memory it ever had resident (VmHWM of proc_pid_status(5)), while it runs."""
        peak = peak_bytes(Path(f"/proc/{self._process.pid}/status"))
        if isinstance(peak, str):
            raise self._ended()
        return peak

    def close(self) -> None:
        """End the process: by its own way out, else by force."""
        try:
            self._process.communicate(b'{"do": "close"}\n', timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._told.close()

    def _checked(self, answer: dict[str, Any]) -> dict[str, Any]:
        if answer.get("error") == "missing":
            raise NotHere(f"not installed: {answer['message']}{_way_out(self._peer)}")
        if "error" in answer:
            raise BackendError(f"{self._peer.title}: {answer['message']}")
        return answer

    def _ended(self) -> BackendError:
        code = self._process.wait()
        self._told.seek(0)
        last = (self._told.read().decode(errors="replace").strip().splitlines() or ["no word"])[-1]
        return BackendError(f"{self._peer.title}: its process ended with {code} ({last[:300]})")


def rigs_folder() -> Path:
    """Where ``tests/rigs/setup.sh`` puts what it installs."""
    cache = os.environ.get("CORROSION_EDGE_CACHE", str(_CHECKOUT / ".cache"))
    return Path(os.environ.get("CORROSION_EDGE_RIGS", f"{cache}/rigs")).absolute()


def environment(rigs: Path, rig: str) -> dict[str, str]:
    """This environment, with the packages of a rig behind this project on Python's path."""
    paths = [str(_CHECKOUT), *([str(rigs / rig / "site")] if rig else [])]
    given = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*paths, *([given] if given else [])])}


def sealing() -> tuple[str, ...]:
    """What runs a command without any network (NotHere where nothing can)."""
    if shutil.which("unshare"):
        for command in (("unshare", "--net"), ("unshare", "--net", "--map-root-user")):
            if subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0:
                return command
    raise NotHere("not run: no network name space can be made here (unshare --net), and this "
                  "peer would send figures about its use")  # fmt: skip


def _way_out(peer: Peer) -> str:
    return f"; run tests/rigs/{peer.rig}.sh" if peer.rig else "; it is in corrosion-edge[train]"
