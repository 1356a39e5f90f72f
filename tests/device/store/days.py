"""Days of a watch in seconds: for the page, and to measure what they write to a disk.

``python days.py FOLDER DAYS [--wear]``. One frame a second, rust that comes and goes, night
frames that are too dark, now and then a lost camera. With ``--wear`` (root) the store lies on an
ext4 image, and the bytes that reach its block device are counted.
"""

import argparse
import math
import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from corrosion_edge.device.events.event import Asset, ModelName
from corrosion_edge.device.events.recorder import Recorder
from corrosion_edge.device.events.settings import Detection
from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.store import Keeper, Reader, Store
from corrosion_edge.frame import Frame
from corrosion_edge.prediction import Prediction
from corrosion_edge.render import surface

DAY = 86400
SETTINGS = Detection.for_model(0.5, (0.11, 0.81))
MODEL = ModelName("a model", "ab" * 32, 0.5)


class Days:
    """A clock and a camera: 1080p pictures, sun from 6 to 20 h, rust around noon."""

    def __init__(self, days: int, seed: int = 1) -> None:
        self.seconds, self.days = 0.0, days
        self.start = datetime.now(UTC) - timedelta(days=days)
        self._draw = np.random.default_rng(seed)
        self._pictures = [surface("steel", rust=r, seed=4, size=(1920, 1080)) for r in (0, 0.5)]

    def now(self) -> Stamp:
        return Stamp(self.start + timedelta(seconds=self.seconds), self.seconds, "a boot")

    def run(self, recorder: Recorder, every: int) -> None:
        for second in range(0, self.days * DAY, every):
            self.seconds = float(second)
            hour = self.now().wall.hour
            if second % (3 * DAY) == 7 * 3600:
                recorder.camera_state("north", "lost", "no frame for 10 s", self.now())
            if second % (3 * DAY) == 9 * 3600:
                recorder.camera_state("north", "running", "frames again", self.now())
            if 7 * 3600 <= second % (3 * DAY) < 9 * 3600:
                continue
            if not 6 <= hour < 20:
                recorder.unusable("north", "too dark", self.now())
            else:
                self._frame(recorder, second)

    def _frame(self, recorder: Recorder, second: int) -> None:
        growth = second / (self.days * DAY)
        wave = math.sin(2 * math.pi * second / (DAY / 5))
        log_odds = -3 + 4 * growth + 2.5 * wave + self._draw.normal(0, 0.5)
        local = self._draw.normal(log_odds, 4, (7, 7)).astype(np.float32)
        said = Prediction(1 / (1 + math.exp(-log_odds)), 0.5, local)
        at = self.now()
        pixels = self._pictures[int(log_odds > 0)]
        recorder.verdict("north", Frame(pixels, second, at.wall, monotonic=at.seconds), said)


def simulate(folder: Path, days: int, every: int = 1) -> None:
    """Fill a store; nothing is told."""
    story = Days(days)
    keeper = Keeper(Store(folder), now=story.now)
    assets = {"north": Asset("Tank 7", "north side, from the gangway")}
    with Recorder(keeper, SETTINGS, MODEL, assets, now=story.now) as recorder:
        story.run(recorder, every)


def wear(days: int) -> dict[str, float]:
    """What ``days`` write to an ext4 disk of 1 GiB, in bytes a day; events a day."""
    with tempfile.TemporaryDirectory() as work:
        image, disk = Path(work, "image"), Path(work, "disk")
        disk.mkdir()
        with image.open("wb") as stream:
            stream.truncate(2**30)
        _run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", image)
        device = _run("losetup", "--find", "--show", image)
        try:
            _run("mount", "-o", "noatime", device, disk)
            _run("sync", "-f", disk)
            before, own = _written(device), _own()
            simulate(disk / "store", days)
            _run("sync", "-f", disk)
            found = {"device": (_written(device) - before) / days, "process": (_own() - own) / days}
            with Reader(disk / "store") as reader:
                events = list(reader.events())
            found["events"] = len(events) / days
            kept = (p.path.stat().st_size for e in events for p in e.pictures.values())
            found["pictures"] = sum(kept) / days
            _run("umount", disk)
        finally:
            _run("losetup", "--detach", device)
    return found


def _run(*words: object) -> str:
    done = subprocess.run([*map(str, words)], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _written(device: str) -> int:
    """Bytes written to a block device: its 7th count, in sectors of 512 (kernel: block/stat)."""
    return 512 * int(Path("/sys/block", Path(device).name, "stat").read_text().split()[6])


def _own() -> int:
    for line in Path("/proc/self/io").read_text().splitlines():
        if line.startswith("write_bytes:"):
            return int(line.split()[1])
    raise OSError("/proc/self/io: no write_bytes")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("days", type=int)
    parser.add_argument("--wear", action="store_true")
    given = parser.parse_args()
    if given.wear:
        print({name: round(value) for name, value in wear(given.days).items()})
    else:
        simulate(given.folder, given.days, every=20)
