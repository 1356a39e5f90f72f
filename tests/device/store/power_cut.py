"""Cuts the power of a disk in the middle of writing, and looks at what is on it.

``python power_cut.py TRIES SEED`` (root; ext4 on a loop device). The writer works on a mounted
image and is stopped at a random moment; the image is copied as the block device has it, so what
lies only in memory is lost; the copy is mounted, which replays its journal, and compared with what
the writer had reported. What this cannot show: a card that acknowledges a flush and lies, or that
destroys sectors it was not writing.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from corrosion_edge.device.store import Reader, Store
from corrosion_edge.device.store.verify import verify

WRITER = Path(__file__).with_name("writer.py")


@dataclass
class Account:
    """Cuts, events reported as stored before them in all, how many were lost, orphans swept."""

    cuts: int = 0
    reported: int = 0
    lost: int = 0
    swept: int = 0


@contextmanager
def mounted(image: Path, folder: Path) -> Iterator[Path]:
    """The image's file system at ``folder``."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", "loop", image, folder], check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def copy_of(image: Path, copy: Path) -> None:
    """Copy the image until two copies agree, so that the copy is of one moment."""
    other = copy.with_suffix(".again")
    for _ in range(20):
        shutil.copyfile(image, copy)
        shutil.copyfile(image, other)
        same = subprocess.run(["cmp", "-s", copy, other], check=False).returncode == 0
        other.unlink()
        if same:
            return
    raise OSError(f"{image}: is never still")


def cut_once(work: Path, image: Path, after: float) -> tuple[dict[int, str], Path]:
    """Write for a while, stop, copy; what was reported by then, and the copy."""
    said = work / "said"
    with mounted(image, work / "disk") as disk:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, str(WRITER), str(disk / "store")]
        with said.open("w") as out:
            process = subprocess.Popen(command, stdout=out, env=environment)
        while "ready" not in said.read_text() and process.poll() is None:
            time.sleep(0.02)
        time.sleep(after)
        process.send_signal(signal.SIGSTOP)
        reported = said.read_text()
        copy_of(image, work / "copy")
        process.kill()
        process.wait()
    pairs = [line.split() for line in reported.splitlines(keepends=True)
             if line.endswith("\n") and line[0].isdigit()]  # fmt: skip
    return {int(number): hash for number, hash in pairs}, work / "copy"


def cut_often(tries: int, seed: int) -> Account:
    """Cut so often, each time on a fresh disk of 64 MiB."""
    draw, account = random.Random(seed), Account()
    for _ in range(tries):
        with tempfile.TemporaryDirectory() as name:
            work = Path(name)
            image = work / "image"
            with image.open("wb") as stream:
                stream.truncate(64 * 2**20)
            subprocess.run(["mkfs.ext4", "-q", image], check=True)
            reported, copy = cut_once(work, image, draw.uniform(0, 1))
            with mounted(copy, work / "after") as disk:
                folder = disk / "store"
                with Store(folder) as store:
                    account.swept += store.swept
                verify(folder)
                with Reader(folder) as reader:
                    there = {event.sequence: event.hash for event in reader.events()}
            account.cuts += 1
            account.reported += len(reported)
            account.lost += sum(there.get(n) != hash for n, hash in reported.items())
    return account


if __name__ == "__main__":
    print(cut_often(int(sys.argv[1]), int(sys.argv[2])))
