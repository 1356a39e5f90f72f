"""Photos and folders of photos, one after the other: what ``classify`` does."""

import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from corrosion_edge import heatmap, image, output
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.device.judging import Classifies
from corrosion_edge.device.lines import emit, json_line, printable
from corrosion_edge.errors import DataError, ImageError, UsageError
from corrosion_edge.photos import find_photos
from corrosion_edge.prediction import Prediction

__all__ = [
    "LARGEST_OVERLAY",
    "Result",
    "gather",
    "judge",
    "overlay_path",
    "require_map",
    "write_overlay",
]

LARGEST_OVERLAY: Final = 1600
"""Longer side of an overlay in pixels: laying one over a whole photo takes gigabytes."""


@dataclass(frozen=True, slots=True)
class Result:
    """A photo's prediction, or why it has none."""

    path: str
    prediction: Prediction | None = None
    error: str = ""

    def show(self, *, as_json: bool) -> None:
        """Print the result: failures to standard error, unless in JSON."""
        if as_json:
            emit(sys.stdout, json_line({"path": self.path, **self._fields()}))
        elif self.prediction is None:
            emit(sys.stderr, f"Error: {printable(self.error)}")
        else:
            said = self.prediction
            emit(sys.stdout, f"{said.word:<12}  {said.score:.3f}  {printable(self.path)}")

    def _fields(self) -> dict[str, str | float]:
        return self.prediction.to_dict() if self.prediction else {"error": self.error}


def gather(paths: Iterable[str]) -> list[str]:
    """The photos named, and those below the folders named, in that order.

    Whatever is no folder is taken as a photo and tried. What is passed over in a folder is said
    on standard error. Raises DataError if there are only folders without photos.
    """
    found: list[str] = []
    empty: list[str] = []
    for path in paths:
        if not Path(path).is_dir():
            found.append(path)
            continue
        listing = find_photos(Path(path))
        found += map(str, listing.photos)
        if not listing.photos:
            empty.append(path)
        if listing.passed_over or not listing.photos:
            emit(sys.stderr, printable(f"{path}: {listing}"))
    if empty and not found:
        raise DataError(f"{printable(', '.join(empty))}: no photos in there or below")
    return found


def judge(classifier: Classifies, paths: Sequence[str], overlays: Path | None) -> Iterator[Result]:
    """Classify one photo after the other, holding one at a time, in the order given.

    With ``overlays`` each heat map is laid over its photo and written below that folder.
    """
    for path in paths:
        yield _judged(classifier, path, overlays)


def _judged(classifier: Classifies, path: str, overlays: Path | None) -> Result:
    try:
        pixels = image.read(Path(path))
    except ImageError as error:
        return Result(path, error=str(error))
    prediction = classifier.classify(pixels)
    if overlays is not None:
        write_overlay(overlay_path(overlays, path), pixels, prediction)
    return Result(path, prediction)


def overlay_path(folder: Path, photo: str) -> Path:
    """Where a photo's overlay goes: its whole path below ``folder``, with ``.png`` at the end.

    Keeping path and ending keeps photos of the same name apart; ``..`` becomes ``up``, so that
    nothing is written outside.
    """
    parts = ["up" if part == ".." else part for part in Path(photo).parts if part != "/"]
    return folder.joinpath(*parts[:-1], f"{parts[-1]}.png")


def write_overlay(path: Path, pixels: npt.NDArray[np.uint8], prediction: Prediction) -> None:
    """Write the photo, reduced to ``LARGEST_OVERLAY``, under its heat map as PNG (OutputError)."""
    picture = Image.fromarray(pixels)
    picture.thumbnail((LARGEST_OVERLAY, LARGEST_OVERLAY))
    content = io.BytesIO()
    Image.fromarray(heatmap.overlay(np.asarray(picture), prediction)).save(content, "PNG")
    output.make_folder(path.parent)
    output.write(path, content.getvalue())


def require_map(classifier: Classifier, overlays: Path | None) -> None:
    """UsageError where overlays are wanted of a model that draws no map; OutputError."""
    if overlays is None:
        return
    if "map" not in classifier.manifest.outputs:
        raise UsageError(
            f"--heatmap: the model {classifier.name} has no heat map: it was made with maximum "
            "pooling or --no-heatmap; name another with --model"
        )
    output.require_writable(overlays)
