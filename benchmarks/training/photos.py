"""The photos that both ways of training are given."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from corrosion_edge.image import Preprocessing
from corrosion_edge.render import write_dataset
from corrosion_edge.trainer.load import Splits, load
from corrosion_edge.trainer.samples import Samples

__all__ = ["photos_of", "rendered"]

_TRAIN = 0.7  # of a rendered set


def rendered(folder: Path, photos: int) -> Path:
    """Render a set with at least so many training pictures, and return its folder."""
    folder.mkdir()
    write_dataset(folder, per_class=round(photos / 2 / _TRAIN) + 1, seed=1)
    return folder


def photos_of(folder: Path, photos: int, image_size: int) -> Splits:
    """Decode a folder and keep ``photos`` of its training split, of the others in proportion."""
    splits = load(folder, Preprocessing(image_size, image_size), positive=None, seed=1)
    share = min(1.0, photos / len(splits.samples["train"]))
    samples = {name: _part(part, round(share * len(part))) for name, part in splits.samples.items()}
    return replace(splits, samples=samples)


def _part(samples: Samples, count: int) -> Samples:
    """Evenly spaced photos, so that both classes stay."""
    kept = np.linspace(0, len(samples) - 1, max(count, 2)).round().astype(int)
    photos = tuple(samples.photos[i] for i in kept)
    return Samples(samples.pixels[kept], samples.labels[kept], photos)
