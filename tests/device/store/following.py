"""Kills a watch of a followed folder at random moments, and counts files lost or judged twice.

``python following.py FOLDER TRIES SEED`` prints the account; the tests run a few tries, the figures
in docs/faults.md are of many. After each kill the next watch goes on with the same store.
"""

import os
import random
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image

from corrosion_edge.bundle import Bundle
from corrosion_edge.device.backends.fake import FakeBackend
from corrosion_edge.device.capture import FollowedFolder
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.device.events import recorder, summary
from corrosion_edge.device.events.event import Asset
from corrosion_edge.device.pipeline import Pipeline
from corrosion_edge.device.sinks import Sink
from corrosion_edge.device.store import keeper
from corrosion_edge.device.store.verify import verify
from corrosion_edge.device.store.watching import recording
from corrosion_edge.device.storing import STORE_OPTIONS

EACH = 20  # files dropped before each watch


@dataclass
class Account:
    """Kills, files, verdicts that were made, and files lost, or stored more than once."""

    kills: int = 0
    files: int = 0
    verdicts: int = 0
    lost: int = 0
    twice: int = 0


class Bright(Classifier):
    """The brighter the picture, the more corrosion."""

    def classify(self, pixels: Any) -> Any:
        score = float(pixels.mean()) / 255
        return replace(super().classify(pixels), score=score)


class Says(Sink):
    """A line for each result."""

    def write(self, result: Any) -> None:
        print("judged", flush=True)

    def close(self) -> None:
        pass


def watch(photos: Path, store: Path) -> None:
    """Watch, with minutes and batches of hundredths of a second, until killed."""
    summary.PERIOD, keeper.BATCH, recorder.SETTLED = 0.02, 0.05, 0.05  # type: ignore[misc]
    outputs = {"scores": "a", "map": "b"}
    model = Bright(
        Bundle.seal(b"\0\0\0\0TFL3fake", {}, name="fake", outputs=outputs), FakeBackend()
    )
    options = {**dict.fromkeys(STORE_OPTIONS), "folder": store, "smooth": "1/1"}
    source = FollowedFolder(photos)
    models = SimpleNamespace(classifier=model)
    with recording(options, models, {"it": Asset()}, "it", source=source) as sinks:
        print("ready", flush=True)
        Pipeline(source, model, [*sinks, Says()]).run()


def drop(folder: Path, first: int, draw: random.Random) -> None:
    """Photos that were last changed a while ago, so that they are taken at once."""
    for number in range(first, first + EACH):
        path = folder / f"{number:05d}.png"
        Image.fromarray(np.full((8, 8, 3), draw.choice((0, 255)), np.uint8)).save(path)
        os.utime(path, (1e9 + number, 1e9 + number))


def killed_at(photos: Path, store: Path, after: float) -> int:
    """Let a watch work for so long, kill it; how many verdicts it made."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--watch", photos, store],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    time.sleep(after)
    process.kill()
    said = process.stdout.read().count("judged\n")
    process.wait()
    return said


def stored(store: Path) -> tuple[int, int]:
    """Files that are noted as taken, and verdicts in the rows of minutes."""
    with sqlite3.connect(store / "events.sqlite") as database:
        taken = database.execute("SELECT count(*) FROM taken").fetchone()[0]
        frames = database.execute("SELECT ifnull(sum(frames), 0) FROM summaries").fetchone()[0]
    database.close()
    return taken, frames


def kill_often(folder: Path, tries: int, seed: int) -> Account:
    """Kill so often, then let the rest be judged, and count."""
    draw, account = random.Random(seed), Account()
    photos, store = folder / "photos", folder / "store"
    photos.mkdir(parents=True)
    for _ in range(tries):
        drop(photos, account.files, draw)
        account.files += EACH
        account.verdicts += killed_at(photos, store, draw.uniform(0, 0.3))
        account.kills += 1
        verify(store)
        taken, frames = stored(store)
        assert taken == frames, f"{taken} files are noted, {frames} verdicts are stored"
    account.verdicts += killed_at(photos, store, 3 + 0.02 * (account.files - taken))
    taken, frames = stored(store)
    account.lost, account.twice = account.files - taken, frames - taken
    return account


if __name__ == "__main__":
    if sys.argv[1] == "--watch":
        watch(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        print(kill_often(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
