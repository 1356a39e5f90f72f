"""What ``--decode reduced`` does: ``python -m corrosion_edge.benchmarks.archive.reduced PHOTOS``.

Each picture is judged by the default model as its JPEG is decoded whole, and reduced. Photos of
your folder may be too small to be reduced, so they are brought to other sizes too, and put side by
side, which keeps fine detail. Beside it stands what the JPEG's own compression moved.
"""

import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import numpy as np
import numpy.typing as npt
from PIL import Image

from corrosion_edge import image
from corrosion_edge.cli import Command
from corrosion_edge.device.archive.running import DECODES
from corrosion_edge.errors import DataError
from corrosion_edge.photos import find_photos

if TYPE_CHECKING:
    from corrosion_edge.device.classifier import Classifier
    from corrosion_edge.prediction import Prediction

__all__ = ["SETS", "Made", "Told", "main", "told"]

_QUALITY: Final = 90

Pixels = npt.NDArray[np.uint8]
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Made:
    """Pictures of ``size`` (width, height), each of ``side`` x ``side`` photos.

    With a ``side`` of 1 of every ``step``-th photo, else ``count`` of them, of photos drawn anew.
    Without a size the photos' own files.
    """

    size: Size | None = None
    side: int = 1
    step: int = 1
    count: int = 0

    def paths(self, photos: Sequence[Path], most: int) -> Iterator[Sequence[Path]]:
        """The photos of each picture, of at most so many pictures; the same each time."""
        if self.side == 1:
            yield from ([path] for path in photos[:: self.step][:most])
            return
        draw = random.Random(self.side)
        for _ in range(min(self.count, most)):
            yield draw.choices(photos, k=self.side * self.side)

    def picture(self, paths: Sequence[Path]) -> Pixels:
        """The photos beside and below each other, uint8 [h, w, 3] RGB (ImageError)."""
        assert self.size is not None
        part = (self.size[0] // self.side, self.size[1] // self.side)
        each = [image.scaled(image.read(path), part) for path in paths]
        rows = [np.hstack(each[n : n + self.side]) for n in range(0, len(each), self.side)]
        return np.vstack(rows)


SETS: Final = {
    "as they are": Made(),
    "brought to 1920x1080": Made((1920, 1080)),
    "brought to 4000x3000": Made((4000, 3000), step=3),
    "four side by side at 1280x960": Made((1280, 960), side=2, count=200),
    "sixteen at 2560x1920": Made((2560, 1920), side=4, count=120),
}
"""What is judged, by name."""


@dataclass(frozen=True, slots=True)
class Told:
    """Changes of the score: reduced against whole, and each against the picture before its JPEG."""

    changes: tuple[float, ...]
    verdicts: int
    whole: tuple[float, ...]
    reduced: tuple[float, ...]

    def row(self, name: str) -> str:
        """Of a Markdown table: means, the largest, and how many verdicts are others."""
        before = [f"{np.mean(each):.4f}" if each else "–" for each in (self.whole, self.reduced)]
        return (f"| {name}, {len(self.changes)} | {np.mean(self.changes):.4f} | "
                f"{max(self.changes):.3f} | {self.verdicts} | {' | '.join(before)} |")  # fmt: skip


def told(
    made: Made, photos: Sequence[Path], classifier: "Classifier", times: int, most: int
) -> Told:
    """What reducing to ``times`` the network's side does to these pictures (ImageError)."""
    least = times * max(classifier.manifest.preprocessing.size)
    changes, verdicts, whole, reduced = [], 0, [], []
    for paths in made.paths(photos, most):
        pixels = made.picture(paths) if made.size else None
        content = paths[0].read_bytes() if pixels is None else _jpeg(pixels)
        one, other = (_judged(content, classifier, at_least) for at_least in (0, least))
        changes.append(abs(one.score - other.score))
        verdicts += one.label != other.label
        if pixels is not None:
            before = classifier.classify(pixels).score
            whole.append(abs(one.score - before))
            reduced.append(abs(other.score - before))
    return Told(tuple(changes), verdicts, tuple(whole), tuple(reduced))


def _judged(content: bytes, classifier: "Classifier", at_least: int) -> "Prediction":
    spec = classifier.manifest.preprocessing
    prepared = image.read_prepared(io.BytesIO(content), spec, "a picture", at_least=at_least)
    return classifier.classify_prepared(prepared)


def _jpeg(pixels: Pixels) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "JPEG", quality=_QUALITY, subsampling="4:2:0")
    return content.getvalue()


@click.command(cls=Command)
@click.argument("photos", type=click.Path(path_type=Path))
@click.option("--times", type=click.IntRange(1, 16), default=DECODES["reduced"], show_default=True,
              help="Sides that are kept at least, in sides of the network's input.")  # fmt: skip
@click.option("--most", type=click.IntRange(min=1), default=10_000, help="Pictures of a kind.")
def main(photos: Path, times: int, most: int) -> None:
    """Tell how far reduced decoding moves scores of PHOTOS, a folder."""
    from corrosion_edge.device.classifier import Classifier

    files = list(find_photos(photos).photos)
    if not files:
        raise DataError(f"{photos}: holds no photo")
    click.echo("| pictures | change of the score, mean | largest | verdicts changed | "
               "whole from before its JPEG, mean | reduced from that |")  # fmt: skip
    click.echo("|---|---|---|---|---|---|")
    with Classifier.open() as classifier:
        for name, made in SETS.items():
            click.echo(told(made, files, classifier, times, most).row(name))


if __name__ == "__main__":
    main()
