"""Kills a process that keeps a copy of a model file before each thing that it does to the disk.

``python killing_copies.py FOLDER`` prints how many moments there were; it fails where one of them
left neither the old nor the new copy.
"""

import os
import shutil
import signal
import sys
from pathlib import Path

from corrosion_edge.device.store.last_good import LastGood

OLD, NEW, NEXT = b"old" * 999, b"new" * 1999, b"next" * 99
TOUCHES = ("open", "os.rename", "os.remove", "os.mkdir", "os.chmod")


def keeper(store):
    kept = LastGood(store, Path("model.tflite"), lambda told: sys.exit(f"not kept: {told}"))
    kept.begin()
    return kept


def die_before(number):
    """Let this process kill itself before it touches the disk so many times."""
    left = [number]

    def hook(event, arguments):
        left[0] -= event in TOUCHES
        if left[0] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def survives(store, number):
    """Whether a process that is killed so gets to its end; another one goes on afterwards."""
    if (child := os.fork()) == 0:
        die_before(number)
        kept = keeper(store)
        kept.prepare(NEW)
        kept.accept(NEW)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    found = keeper(store).find()
    expected = (OLD, NEW) if (store / "old").exists() else (None, NEW)
    assert found in expected, f"moment {number}: {found!r:.20}"
    keeper(store).accept(NEXT)
    assert keeper(store).find() == NEXT
    assert len(list((store / "model").iterdir())) == 2
    return status == 0


def moments(folder, old):
    """How many there are until nothing is killed any more."""
    number = 0
    while True:
        number += 1
        store = folder / str(number)
        store.mkdir(parents=True)
        if old:
            (store / "old").touch()
            keeper(store).accept(OLD)
        done = survives(store, number)
        shutil.rmtree(store)
        if done:
            return number - 1


if __name__ == "__main__":
    print(*(moments(Path(sys.argv[1]), old) for old in (True, False)))
