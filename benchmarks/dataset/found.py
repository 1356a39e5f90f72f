"""Which versions of photos are found again: ``python -m corrosion_edge.benchmarks.dataset.found``.

Takes photos that are versions of no other, puts one changed copy of each beside them, and looks
for pairs in all of it. Recall, by kind of change, is the share of photos whose copy was found.
A pair of two different photos is a false one, unless the search among the photos alone missed
it; all of them are listed, to be looked at.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
import numpy as np
from PIL import Image

from corrosion_edge import image
from corrosion_edge.benchmarks.dataset.versions import VERSIONS, Change
from corrosion_edge.cli import Command
from corrosion_edge.errors import ImageError
from corrosion_edge.progress import progress
from corrosion_edge.trainer.data import scan
from corrosion_edge.trainer.dataset.duplicates import Finder, grouped_by
from corrosion_edge.trainer.dataset.features import Features, describe, shrink
from corrosion_edge.trainer.dataset.parallel import each
from corrosion_edge.trainer.dataset.reading import features_of

__all__ = ["Found", "find", "main"]

Described = tuple[str, Features]
_SHORTEST = 100  # pixels; a crop of less is a detail, not a photo


@dataclass(frozen=True, slots=True)
class Found:
    """Of ``photos``, how many copies were found by kind, and pairs of different photos."""

    photos: int
    by_kind: Mapping[str, int]
    strange: tuple[tuple[str, str], ...]

    def lines(self) -> list[str]:
        """For people."""
        text = [f"{kind}: {n} of {self.photos} found" for kind, n in self.by_kind.items()]
        total, made = sum(self.by_kind.values()), self.photos * len(self.by_kind)
        text.append(f"all: {total} of {made} found ({total / made:.1%})")
        text.append(
            f"pairs of different photos: {len(self.strange)}, "
            f"{len(self.strange) / max(total + len(self.strange), 1):.1%} of all pairs"
        )
        return text + [f"  {a}  {b}" for a, b in self.strange]


def find(data: Path, photos: int, seed: int) -> Found:
    """Search for one changed copy, of each kind in turn, of up to ``photos`` photos of ``data``.

    Raises DataError for a folder that is no data set.
    """
    chosen = _alone(data, photos, seed)
    names = [path.relative_to(data).as_posix() for path, _ in chosen]
    originals = [described for _, described in chosen]
    counts, strange = {}, set[tuple[str, str]]()
    for kind in VERSIONS:
        copies = list(each(partial(_copy, VERSIONS[kind]), [path for path, _ in chosen]))
        found = _pairs([*originals, *copies])
        n = len(chosen)
        counts[kind] = sum((i, n + i) in found for i in range(n))
        apart = {(names[a % n], names[b % n]) for a, b in found if a % n != b % n}
        strange |= {(min(pair), max(pair)) for pair in apart}
        click.echo(f"{kind}: {counts[kind]} of {n}", err=True)
    return Found(len(chosen), counts, tuple(sorted(strange)))


def _alone(data: Path, photos: int, seed: int) -> list[tuple[Path, Described]]:
    """Readable photos of one group each, drawn at random."""
    paths = [photo.path for photo in scan(data, None).photos]
    read = progress(each(features_of, paths), "Reading photos", length=len(paths))
    good = [
        (p, r) for p, r in zip(paths, read, strict=True)
        if not isinstance(r, ImageError) and min(Image.open(p).size) >= _SHORTEST
    ]  # fmt: skip
    groups = grouped_by(_pairs([described for _, described in good]), len(good))
    numbers, sizes = np.unique(groups, return_counts=True)
    single = np.flatnonzero(np.isin(groups, numbers[sizes == 1]))
    drawn = np.random.default_rng(seed).permutation(single)[:photos]
    return [good[i] for i in sorted(drawn.tolist())]


def _copy(change: Change, path: Path) -> Described:
    pixels = np.asarray(change(Image.fromarray(image.read(path))).convert("RGB"))
    return hashlib.sha256(pixels.tobytes()).hexdigest(), describe(shrink(pixels))


def _pairs(described: list[Described]) -> set[tuple[int, int]]:
    with Finder() as finder:
        for digest, features in described:
            finder.add(digest, features)
        return {(pair.a, pair.b) for pair in finder.pairs()}


@click.command(cls=Command)
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--photos", default=200, show_default=True, type=click.IntRange(2))
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0))
def main(data: Path, photos: int, seed: int) -> None:
    """Tell which changed copies of the photos in DATA are found again."""
    click.echo("\n".join(find(data, photos, seed).lines()))


if __name__ == "__main__":
    main()
