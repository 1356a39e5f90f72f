"""Where the built rigs are, and how a test asks for one.

``tests/rigs/setup.sh`` builds them. ``CORROSION_EDGE_RIGS`` names another folder of rigs than
``.cache/rigs`` in the checkout, ``CORROSION_EDGE_TEST_MODEL`` another model file than the default.
"""

import functools
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from corrosion_edge.bundle import DEFAULT_MODEL

__all__ = [
    "CHECKOUT",
    "HERE",
    "clean_environment",
    "machine",
    "model_file",
    "native",
    "require",
    "rigs_folder",
    "run",
    "shared",
]

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]


def rigs_folder() -> Path:
    """The folder of built rigs, as ``common.sh`` finds it."""
    cache = os.environ.get("CORROSION_EDGE_CACHE", str(CHECKOUT / ".cache"))
    return Path(os.environ.get("CORROSION_EDGE_RIGS", f"{cache}/rigs")).absolute()


def require(name: str) -> Path:
    """The folder of a whole rig; skips the test, saying what builds it, where there is none."""
    folder = rigs_folder() / name
    if not (folder / ".stamp").is_file():
        pytest.skip(f"the rig {name} is not built here: run tests/rigs/{name}.sh")
    return folder


def model_file() -> Path:
    """The model file under test; skips the test where there is none."""
    path = Path(os.environ.get("CORROSION_EDGE_TEST_MODEL", DEFAULT_MODEL)).absolute()
    if not path.is_file():
        pytest.skip(f"no model file {path}")
    return path


@functools.cache
def clean_environment() -> Mapping[str, str]:
    """This process's environment without what names its own Python and processor."""
    mine = ("PYTHON", "OPENBLAS", "VIRTUAL_ENV", "LD_PRELOAD")
    return {name: value for name, value in os.environ.items() if not name.startswith(mine)}


def run(
    command: Sequence[str | Path],
    *,
    within: float,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end in ``folder``; a hang of ``within`` seconds fails the test.

    An emulator that crashes as the first process of its name space hangs and ignores SIGTERM, so
    the hang ends with SIGKILL.
    """
    return subprocess.run(
        ["timeout", "--signal=KILL", str(within), *map(str, command)],
        env={**clean_environment(), **(environment or {})},
        cwd=folder or HERE,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def native(*arguments: str | Path, within: float = 60) -> "subprocess.CompletedProcess[str]":
    """Run this Python with the checkout on its path."""
    return run(
        [sys.executable, *arguments], within=within, environment={"PYTHONPATH": str(CHECKOUT)}
    )


def machine(folder: Path, exchange: Path, *more: str) -> list[str]:
    """The command that starts a virtual machine with ``folder``'s kernel and initrd.gz.

    It mounts ``exchange``, and the checkout, which cannot be written from inside. Software
    emulation, no network, the console on standard output; ``more`` are further options.
    """
    command = "qemu-system-x86_64 -M q35 -accel tcg,thread=multi -cpu max -smp 2 -m 1024"
    command += " -nodefaults -nographic -serial stdio"
    options = [*command.split(), "-kernel", str(folder / "kernel")]
    options += ["-initrd", str(folder / "initrd.gz"), "-append", "console=ttyS0 panic=-1 quiet"]
    checkout = shared("checkout", CHECKOUT, ",readonly=on")
    return [*options, *shared("exchange", exchange), *checkout, *more]


def shared(tag: str, folder: Path, more: str = "") -> list[str]:
    """The options by which a virtual machine may mount a folder."""
    return ["-virtfs", f"local,path={folder},mount_tag={tag},security_model=none{more}"]
