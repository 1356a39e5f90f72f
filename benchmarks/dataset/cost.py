"""What an audit costs: ``python -m corrosion_edge.benchmarks.dataset.cost DATA``.

Cuts photos into parts that have nothing in common, so that there are as many different ones as
wanted, scales each part to its photo's size, and runs `corrosion-edge dataset audit` on growing
numbers of them. Prints seconds and the most memory held (resident set, MB).
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import click
from PIL import Image

from corrosion_edge import image
from corrosion_edge.cli import Command
from corrosion_edge.errors import DataError, ImageError, UsageError
from corrosion_edge.trainer.data import scan

__all__ = ["main", "parts"]

PARTS: Final = (3, 2)
"""Columns and rows that a photo is cut into."""

_QUALITY: Final = 90


def parts(data: Path) -> Iterator[tuple[str, Image.Image]]:
    """Class folder and picture: first one part of each photo, then another of each, ..."""
    dataset = scan(data, None)
    for place in range(PARTS[0] * PARTS[1]):
        for photo in dataset.photos:
            try:
                whole = Image.fromarray(image.read(photo.path))
            except ImageError:
                continue
            yield dataset.classes[photo.label], _part(whole, place)


def _part(whole: Image.Image, place: int) -> Image.Image:
    row, column = divmod(place, PARTS[0])
    width, height = whole.width / PARTS[0], whole.height / PARTS[1]
    box = (column * width, row * height, (column + 1) * width, (row + 1) * height)
    return whole.resize(whole.size, Image.Resampling.BICUBIC, box=box)


@click.command(cls=Command)
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--photos", default="1000,3000,10000", show_default=True, metavar="N,N",
              help="How many photos to audit, one after the other.")  # fmt: skip
def main(data: Path, photos: str) -> None:
    """Measure audits of different photos made from those in DATA."""
    with tempfile.TemporaryDirectory() as folder:
        done, made = 0, parts(data)
        for number in _numbers(photos):
            done += _add(made, Path(folder), done, number - done)
            seconds, megabytes = _audited(Path(folder))
            click.echo(
                f"{done} photos: {seconds:.0f} s, {megabytes:.0f} MB; "
                f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
            )


def _numbers(option: str) -> list[int]:
    try:
        return sorted(int(word) for word in option.split(","))
    except ValueError:
        raise UsageError(
            f"--photos: expected whole numbers such as 1000,3000, got {option!r}"
        ) from None


def _add(made: Iterator[tuple[str, Image.Image]], folder: Path, start: int, count: int) -> int:
    """Write the next ``count`` pictures; how many there were."""
    number = 0
    for number, (name, picture) in enumerate(islice(made, count), start=1):
        place = folder / name / f"{start + number:06}.jpg"
        place.parent.mkdir(exist_ok=True)
        picture.save(place, quality=_QUALITY)
    return number


def _audited(folder: Path) -> tuple[float, float]:
    """Seconds of the command and the most memory that it held, in MB."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "corrosion_edge", "dataset", "audit", str(folder)]
        start = time.monotonic()
        process = subprocess.Popen([*command, "--out", f"{out}/audit"], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
    if status:
        raise DataError(f"{' '.join(command)}: ended with {os.waitstatus_to_exitcode(status)}")
    return seconds, usage.ru_maxrss / 1e3


if __name__ == "__main__":
    main()
