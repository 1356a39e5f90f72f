"""What scaling at the source does: ``python -m corrosion_edge.benchmarks.parity PHOTOS``.

Each photo is judged twice by the default model: as the reference scales it, and as a source would.
Beside that stands what `watch` compares as it runs, the mean difference of the two pictures, also
for sources that deliver something else than they should: from these its limit was chosen. Last,
both ways from what decoders and USB cameras deliver are held against the photo's own RGB: scaled
where it is decoded, and made RGB as a whole for the reference to scale.

A Raspberry Pi's image processor is stood in for by libswscale's filters: each photo, brought to
2028x1520 as a sensor delivers it, is scaled by one of them to the main stream (RGB) and to the
low-resolution stream (YUV 4:2:0). No image processor has been measured.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import av
import click
import numpy as np
import numpy.typing as npt

from corrosion_edge import image
from corrosion_edge.cli import Command
from corrosion_edge.device.capture.parity import LIMIT, difference
from corrosion_edge.device.sources.low_stream import LowStream, low_size
from corrosion_edge.device.sources.picamera2_source import SIZE
from corrosion_edge.device.sources.scaling import EXACT, Scaling
from corrosion_edge.errors import DataError, UsageError
from corrosion_edge.frame import Frame, pixels_of
from corrosion_edge.photos import find_photos

if TYPE_CHECKING:
    from corrosion_edge.device.classifier import Classifier

__all__ = ["WAYS", "Moved", "main", "moved"]

_SENSOR: Final = image.Preprocessing(2028, 1520)
_VIDEO: Final = image.Preprocessing(1920, 1080)
_KINDS: Final = {
    "YUV 4:2:0, BT.601": ("yuv420p", 5, 1),
    "YUV 4:2:0, BT.709": ("yuv420p", 1, 1),
    "YUV 4:2:0 of 10 bits, BT.709": ("yuv420p10le", 1, 1),
    "YUYV": ("yuyv422", 5, 1),
    "NV12": ("nv12", 5, 1),
    "MJPEG's YUV 4:2:2, full range": ("yuvj422p", 5, 2),
}
"""FFmpeg's pixel format, and its numbers of the matrix (AVColorSpace) and range (AVColorRange)."""

_FILTERS: Final = {"fast bilinear": 1, "bilinear": 2, "bicubic": 4, "area": 0x20}

Pixels = npt.NDArray[np.uint8]
Size = tuple[int, int]
Kind = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of all photos: levels of 255, and changes of the score.

    ``noticed`` counts those whose pictures differ by more than ``watch`` lets pass.
    """

    photos: int
    levels: float
    most_levels: float
    mean: float
    largest: float
    verdicts: int
    noticed: int


def _decoder(pixels: Pixels, size: Size, kind: Kind) -> Frame:
    """A video's or USB camera's picture, scaled where it is decoded."""
    whole, small = Scaling([size]).both(_delivered(image.prepare(pixels, _VIDEO), kind))
    return Frame.now(whole, 0, scaled=small)


def _photo(pixels: Pixels, size: Size, kind: Kind, *, at_source: bool) -> Frame:
    """The photo's own RGB, and what is made for the network of it as it is delivered."""
    rgb = image.prepare(pixels, _VIDEO)
    whole, small = Scaling([size] if at_source else []).both(_delivered(rgb, kind))
    return Frame.now(rgb, 0, scaled=small or (image.scaled(pixels_of(whole), size),))


def _delivered(rgb: Pixels, kind: Kind) -> av.VideoFrame:
    name, matrix, span = kind
    made = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
        format=name, dst_colorspace=matrix, dst_color_range=span, interpolation=2 | EXACT
    )
    made.colorspace, made.color_range = matrix, span
    return made


def _processor(
    pixels: Pixels,
    size: Size,
    kernel: int,
    part: Callable[[Pixels], Pixels] = lambda pixels: pixels,
    colours: str = "SMPTE170M",
) -> Frame:
    """A camera's two streams; the second is of a ``part``, and taken to be of these ``colours``."""
    sensor = image.prepare(pixels, _SENSOR)
    low = low_size(SIZE, [size])
    assert low is not None
    whole = _by(kernel, sensor, SIZE, "rgb24")
    stream = LowStream({"size": low, "stride": low[0]}, colours, [size])
    return Frame.now(whole, 0, scaled=stream.scaled(_by(kernel, part(sensor), low, "yuv420p")))


def _one_scaler(pixels: Pixels, size: Size, kernel: int) -> Frame:
    """A frame in RGB, all the way to the network's size by one filter."""
    rgb = image.prepare(pixels, _VIDEO)
    return Frame.now(rgb, 0, scaled=(_by(kernel, rgb, size, "rgb24"),))


def _by(kernel: int, pixels: Pixels, size: Size, kind: str) -> Pixels:
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
    made: Pixels = picture.reformat(*size, kind, interpolation=kernel | EXACT).to_ndarray()
    return made


def _seven_eighths(pixels: Pixels) -> Pixels:
    return pixels[:, pixels.shape[1] // 8 :]


def _square(pixels: Pixels) -> Pixels:
    """The middle, as of an image processor that keeps squares square."""
    beside = (pixels.shape[1] - pixels.shape[0]) // 2
    return pixels[:, beside:-beside]


WAYS: Final[Mapping[str, Callable[[Pixels, Size], Frame]]] = {
    **{f"decoder, {name}": partial(_decoder, kind=kind) for name, kind in _KINDS.items()},
    **{f"image processor, {name}": partial(_processor, kernel=kernel)
       for name, kernel in _FILTERS.items()},
    **{f"one scaler, {name}": partial(_one_scaler, kernel=kernel)
       for name, kernel in _FILTERS.items()},
    "wrong: full range for limited": partial(_processor, kernel=2, colours="sYCC"),
    "wrong: BT.709 for BT.601": partial(_processor, kernel=2, colours="Rec709"),
    "wrong: an eighth cut off": partial(_processor, kernel=2, part=_seven_eighths),
    "wrong: sides cut off to a square": partial(_processor, kernel=2, part=_square),
    "wrong: upside down": partial(_processor, kernel=2, part=lambda pixels: pixels[::-1]),
    **{f"photo, by decoder from {name}": partial(_photo, kind=kind, at_source=True)
       for name, kind in _KINDS.items()},
    **{f"photo, by reference from {name}": partial(_photo, kind=kind, at_source=False)
       for name, kind in _KINDS.items()},
}  # fmt: skip
"""What scales a photo, by name; those that are wrong are to be noticed."""


def moved(photos: list[Path], classifier: "Classifier", only: str = "") -> dict[str, Moved]:
    """What each way whose name begins with ``only`` does to these photos (ImageError)."""
    ways = {name: way for name, way in WAYS.items() if name.startswith(only)}
    seen: dict[str, list[tuple[float, float, bool]]] = {name: [] for name in ways}
    for path in photos:
        pixels = image.read(path)
        for name, way in ways.items():
            seen[name].append(_compared(pixels, way, classifier))
    return {name: _summed(each) for name, each in seen.items()}


def _compared(
    pixels: Pixels, way: Callable[[Pixels, Size], Frame], classifier: "Classifier"
) -> tuple[float, float, bool]:
    """Levels of 255, change of the score, and whether the verdict is another."""
    size = classifier.manifest.preprocessing.size
    frame = way(pixels, size)
    theirs = frame.fitting(size)
    assert theirs is not None
    ours, other = classifier.classify(frame.pixels), classifier.classify(theirs)
    return difference(frame), abs(ours.score - other.score), ours.label != other.label


def _summed(seen: list[tuple[float, float, bool]]) -> Moved:
    levels, changes, verdicts = zip(*seen, strict=True)
    return Moved(
        len(seen), float(np.mean(levels)), max(levels), float(np.mean(changes)), max(changes),
        sum(verdicts), sum(level > LIMIT for level in levels),
    )  # fmt: skip


def _rows(found: Mapping[str, Moved]) -> Iterator[str]:
    yield "| scaled by | levels | most | change of the score | largest | verdicts | noticed |"
    yield "|---|---|---|---|---|---|---|"
    for name, one in found.items():
        yield (f"| {name} | {one.levels:.2f} | {one.most_levels:.2f} | {one.mean:.4f} | "
               f"{one.largest:.3f} | {one.verdicts} | {one.noticed} |")  # fmt: skip


@click.command(cls=Command)
@click.argument("photos", type=click.Path(path_type=Path))
@click.option("--only", default="", help="The beginning of the names of the ways to compare.")
@click.option("--step", type=click.IntRange(min=1), default=1, help="Of every so-manieth photo.")
def main(photos: Path, only: str, step: int) -> None:
    """Compare the sources' scaling with the reference on a folder of PHOTOS."""
    from corrosion_edge.device.classifier import Classifier

    files = list(find_photos(photos).photos)[::step]
    if not files:
        raise DataError(f"{photos}: holds no photo")
    if not any(name.startswith(only) for name in WAYS):
        raise UsageError(f"--only {only}: no way begins so; there are: {'; '.join(WAYS)}")
    with Classifier.open() as classifier:
        found = moved(files, classifier, only)
    click.echo(f"{len(files)} photos, {classifier.manifest.name}, limit {LIMIT:g} levels")
    click.echo("\n".join(_rows(found)))


if __name__ == "__main__":
    main()
