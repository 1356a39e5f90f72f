"""What the quality gate refuses: ``python -m corrosion_edge.benchmarks.gate PHOTOS``.

Counts what the gate of ``watch`` with its default limits says of photos as they are, and of altered
copies of some of them: darker, brighter, blurred, and with something before the lens. The limits
were chosen from such counts.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import click
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from corrosion_edge import image
from corrosion_edge.cli import Command
from corrosion_edge.device.capture.quality import SPEC, Gate, Limits
from corrosion_edge.errors import DataError
from corrosion_edge.photos import find_photos

__all__ = ["COPIES", "counted", "main"]

_LONGEST: Final = 1600  # pixels of a copy's longer side

Pixels = npt.NDArray[np.uint8]
Altering = Callable[[Pixels], Pixels]


def _brighter(pixels: Pixels, factor: float) -> Pixels:
    return np.clip(pixels * np.float32(factor), 0, 255).astype(np.uint8)


def _blurred(pixels: Pixels, share: float) -> Pixels:
    """By a Gauss filter whose standard deviation is that share of the width."""
    filtering = ImageFilter.GaussianBlur(share * pixels.shape[1])
    return np.asarray(Image.fromarray(pixels).filter(filtering))


def _before_the_lens(pixels: Pixels) -> Pixels:
    """So blurred that nothing is left, with a sensor's noise of 3 levels."""
    noise = np.random.default_rng(0).normal(0, 3, pixels.shape)
    return np.clip(_blurred(pixels, 0.25) + noise, 0, 255).astype(np.uint8)


COPIES: Final[Mapping[str, Altering]] = {
    "an eighth of the brightness": partial(_brighter, factor=1 / 8),
    "brightness times 3, clipped": partial(_brighter, factor=3),
    "brightness times 8, clipped": partial(_brighter, factor=8),
    "blurred by 0.5 % of the width": partial(_blurred, share=0.005),
    "blurred by 1 %": partial(_blurred, share=0.01),
    "blurred by 2 %": partial(_blurred, share=0.02),
    "blurred by 25 % with noise of 3 levels": _before_the_lens,
}
"""How copies are altered, by name."""


def counted(pictures: Iterable[Pixels]) -> Counter[str]:
    """The gate's words of uint8 [h, w, 3] RGB pictures, ``ok`` among them."""
    gate = Gate(Limits())
    return Counter(
        gate.check(image.prepare(pixels, SPEC), (pixels.shape[1], pixels.shape[0])).word
        for pixels in pictures
    )


def _copy(path: Path) -> Pixels:
    """At most ``_LONGEST`` pixels (ImageError)."""
    pixels = image.read(path)
    height, width = pixels.shape[:2]
    share = _LONGEST / max(height, width)
    if share >= 1:
        return pixels
    return image.scaled(pixels, (max(1, round(width * share)), max(1, round(height * share))))


def _wanted(name: str, copies: Sequence[Pixels]) -> list[Pixels]:
    """A small picture is never called blurred, so it tells nothing of blur."""
    least = SPEC.width if name.startswith("blurred") and "noise" not in name else 1
    return [pixels for pixels in copies if min(pixels.shape[:2]) >= least]


def _row(name: str, found: Counter[str]) -> str:
    unusable = [f"{n} {word}" for word, n in found.most_common() if word != "ok"]
    return f"| {name}, {found.total()} | {', '.join(unusable) or 'none'} |"


@click.command(cls=Command)
@click.argument("photos", type=click.Path(path_type=Path))
@click.option("--step", type=click.IntRange(min=1), default=5, show_default=True,
              help="Of which so-manieth photo copies are made.")  # fmt: skip
def main(photos: Path, step: int) -> None:
    """Count what the quality gate refuses of PHOTOS, a folder, and of altered copies."""
    files = list(find_photos(photos).photos)
    if not files:
        raise DataError(f"{photos}: holds no photo")
    click.echo("| photos | unusable |\n|---|---|")
    click.echo(_row("as they are", counted(map(image.read, files))))
    copies = [_copy(path) for path in files[::step]]
    for name, alter in COPIES.items():
        click.echo(_row(name, counted(map(alter, _wanted(name, copies)))))


if __name__ == "__main__":
    main()
