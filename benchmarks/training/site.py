"""A stand-in for a site: ``python -m corrosion_edge.benchmarks.training.site PHOTOS --out DIR``.

Photos that are split into train, validation and test are grouped by what a network's features say
of them (k-means). One group is kept from ``DIR/old``: its validation photos become ``DIR/site``,
its other photos ``DIR/later``, to be looked at afterwards. Photos are linked, not copied. Then:

    corrosion-edge train DIR/old --out OLD --recipe fast --seed 1
    corrosion-edge train DIR/site --from OLD --old DIR/old --out SITE --seed 1
    corrosion-edge evaluate OLD DIR/later --no-slices
    corrosion-edge evaluate SITE DIR/later --no-slices
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import numpy as np
import numpy.typing as npt

from corrosion_edge import image, output
from corrosion_edge.cli import Command
from corrosion_edge.errors import DataError, UsageError
from corrosion_edge.trainer.data import scan

if TYPE_CHECKING:
    from corrosion_edge.trainer.data import Dataset, Photo

__all__ = ["main", "placed"]

_BACKBONE: Final = "efficientnetv2-b0"
_SIDE: Final = 224
_BATCH: Final = 32
_WHERE: Final = {"validation": "site"}  # of the group; its other photos come later


def placed(photos: Sequence["Photo"], groups: Sequence[int], kept: int) -> list[str]:
    """Where each photo goes, below the folder: ``old/SPLIT``, ``site`` or ``later``."""
    return [
        _WHERE.get(str(photo.split), "later") if group == kept else f"old/{photo.split}"
        for photo, group in zip(photos, groups, strict=True)
    ]


def _features(photos: Sequence["Photo"], weights: str) -> npt.NDArray[np.float32]:
    """The pooled features of each, from the frozen network (ImageError)."""
    from corrosion_edge.trainer import backbones

    network, _ = backbones.build(_BACKBONE, _SIDE, weights)
    spec = image.Preprocessing(_SIDE, _SIDE)
    found = []
    for first in range(0, len(photos), _BATCH):
        batch = [image.read_prepared(p.path, spec) for p in photos[first : first + _BATCH]]
        made = network(np.stack(batch).astype(np.float32), training=False)
        found.append(np.asarray(made).mean((1, 2)))
    return np.concatenate(found)


def _grouped(features: npt.NDArray[np.float32], photos: Sequence["Photo"], count: int) -> list[int]:
    """Of each photo the number of its group, 0 for the one whose classes are the most even."""
    from sklearn.cluster import KMeans

    found = KMeans(count, n_init=10, random_state=0).fit_predict(features)
    labels = np.array([photo.label for photo in photos])
    by_evenness = sorted(range(count), key=lambda group: abs(labels[found == group].mean() - 0.5))
    return [by_evenness.index(group) for group in found]


def _link(dataset: "Dataset", places: Sequence[str], out: Path) -> None:
    for photo, place in zip(dataset.photos, places, strict=True):
        folder = out / place / dataset.classes[photo.label]
        output.make_folder(folder)
        (folder / f"{photo.split}-{photo.path.name}").symlink_to(photo.path.resolve())


@click.command(cls=Command)
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A new folder.")
@click.option("--weights", default="imagenet", help="As of `corrosion-edge train`.")
@click.option("--groups", type=click.IntRange(2, 50), default=6, show_default=True)
@click.option("--kept", type=click.IntRange(0, 49), default=0, show_default=True,
              help="Which group is the site; 0: that of the most even classes.")  # fmt: skip
def main(data: Path, out: Path, weights: str, groups: int, kept: int) -> None:
    """Split DATA, which has train, validation and test, into an old set and a site."""
    if kept >= groups:
        raise UsageError(f"--kept {kept}: there are {groups} groups, 0 to {groups - 1}")
    if out.exists():
        raise UsageError(f"--out {out}: exists already; name a new folder")
    dataset = scan(data)
    if not all(photo.split for photo in dataset.photos):
        raise DataError(f"{data}: expected the folders train, validation and test")
    found = _grouped(_features(dataset.photos, weights), dataset.photos, groups)
    places = placed(dataset.photos, found, kept)
    _link(dataset, places, out)
    for place, count in sorted(Counter(places).items()):
        click.echo(f"{out / place}: {count} photos")


if __name__ == "__main__":
    main()
