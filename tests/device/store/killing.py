"""Kills a writing process at random moments and counts what was lost.

``python killing.py FOLDER TRIES SEED`` prints the account; the tests run a few tries, the figures
in docs/events.md are of many. After each kill the next writer goes on with the same store.
"""

import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from corrosion_edge.device.store import Reader
from corrosion_edge.device.store.verify import verify

WRITER = Path(__file__).with_name("writer.py")


@dataclass
class Account:
    """Kills, events that were reported as stored, and how many of those were lost or changed."""

    kills: int = 0
    reported: int = 0
    lost: int = 0
    unreported: int = 0


def killed_at(folder: Path, after: float) -> dict[int, str]:
    """Let a writer work for ``after`` seconds, kill it with SIGKILL; what it had reported."""
    process = subprocess.Popen(
        [sys.executable, WRITER, folder],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout
    first = [process.stdout.readline()]
    while first[-1] and first[-1] != "ready\n":  # the end of what the last kill broke off
        first.append(process.stdout.readline())
    time.sleep(after)
    process.kill()
    said = [*first, *process.stdout.read().splitlines(keepends=True)]
    process.wait()
    pairs = [line.split() for line in said if line.endswith("\n") and line[0].isdigit()]
    return {int(number): hash for number, hash in pairs}


def kill_often(folder: Path, tries: int, seed: int) -> Account:
    """Kill so often, 0 to 0.6 s after the writer is ready, and compare after each."""
    draw, account = random.Random(seed), Account()
    reported: dict[int, str] = {}
    for _ in range(tries):
        reported |= killed_at(folder, draw.uniform(0, 0.6))
        account.kills += 1
        verify(folder)
        with Reader(folder) as reader:
            there = {event.sequence: event.hash for event in reader.events()}
        account.lost += sum(there.get(number) != hash for number, hash in reported.items())
        account.reported = len(reported)
        account.unreported = len(there) - len(reported)
    return account


if __name__ == "__main__":
    print(kill_often(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
