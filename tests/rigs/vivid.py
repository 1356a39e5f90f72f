"""Boots the virtual machine with the kernel's camera, and runs scenarios of v4l2_guest.py in it."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import rig

__all__ = ["run_guest"]

_JOB = """\
export PATH=/usr/bin:/bin PYTHONPATH=/checkout:/site PYTHONPYCACHEPREFIX=/bytecode HOME=/tmp
export MALLOC_PERTURB_=165  # what uses freed memory shall fail, each time
set -e
"""


def run_guest(exchange: Path, runs: Sequence[Sequence[str]], within: float) -> None:
    """One boot, for each of ``runs`` the guest with these words; ``exchange`` gets what it found.

    Skips where the rig is not built; a machine that takes longer than ``within`` seconds fails.
    """
    folder = rig.require("v4l2")
    if not shutil.which("qemu-system-x86_64"):
        pytest.skip("no qemu-system-x86_64: run tests/rigs/v4l2.sh")
    shutil.copyfile(rig.model_file(), exchange / "model.tflite")
    guest = "/usr/bin/python3 -S /checkout/tests/rigs/v4l2_guest.py"
    job = [" ".join((guest, *words)) for words in runs]
    (exchange / "job.sh").write_text(_JOB + "\n".join(job) + "\n")
    root = rig.shared("root", folder / "root")
    command = rig.machine(folder, exchange, "-no-reboot", *root)
    done = rig.run(command, within=within)
    log = exchange / "log"
    told = log.read_text() if log.exists() else done.stdout[-3000:] + done.stderr[-3000:]
    code = exchange / "exit-code"
    assert code.exists(), f"the machine did not finish its job: {told}"
    assert code.read_text().strip() == "0", told
