"""What becomes of one photo: its verdict, its line, its overlay."""

import io
import socket
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from corrosion_edge import __version__, heatmap, image, output
from corrosion_edge.bundle import Bundle
from corrosion_edge.device.archive.remote import fetched, is_address
from corrosion_edge.device.backends import open_backend
from corrosion_edge.device.backends.litert import find_runtime
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.device.heap import keep
from corrosion_edge.device.lines import emit, json_line, printable
from corrosion_edge.errors import BackendError, FetchError, ImageError, UsageError
from corrosion_edge.prediction import Prediction

__all__ = [
    "LARGEST_OVERLAY",
    "Judge",
    "JudgeOpening",
    "Result",
    "blame",
    "overlay_path",
    "require_map",
    "write_overlay",
]

LARGEST_OVERLAY: Final = 1600
"""Longer side of an overlay in pixels: laying one over a whole photo takes gigabytes."""


@dataclass(frozen=True, slots=True)
class Result:
    """A photo's prediction, or why it has none.

    ``size`` in bytes and ``modified`` in ns since the epoch are those of its file, if it is one.
    ``again`` tells that the error may not last: a store that did not answer.
    """

    path: str
    prediction: Prediction | None = None
    error: str = ""
    size: int | None = None
    modified: int | None = None
    again: bool = False

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


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges one photo after the other, holding one at a time; call it with a photo's path.

    With ``overlays`` each heat map is laid over its photo, and written below that folder
    (OutputError). JPEGs are decoded at a reduced size, see ``image.read``, of ``at_least`` pixels;
    0 decodes them whole. Overlays are drawn on whole photos. Paths begin at ``folder``.
    """

    classifier: Classifier
    overlays: Path | None = None
    at_least: int = 0
    folder: Path = Path()

    def __call__(self, path: str) -> Result:
        """The verdict, without its heat map, or why there is none."""
        spec = self.classifier.manifest.preprocessing
        size, modified = None, None
        try:
            content = fetched(path) if is_address(path) else None
            source = Path(self.folder, path)
            size, modified = _stat(source) if content is None else (len(content), None)
            prepared = image.read_prepared(
                source if content is None else io.BytesIO(content), spec, path,
                at_least=self.at_least,
            )  # fmt: skip
            prediction = self.classifier.classify_prepared(prepared)
            if self.overlays is not None:
                whole = image.read(source if content is None else io.BytesIO(content), path)
                write_overlay(overlay_path(self.overlays, path), whole, prediction)
        except ImageError as error:
            again = isinstance(error, FetchError)
            return Result(path, error=str(error), size=size, modified=modified, again=again)
        bare = replace(prediction, heatmap=None)
        return Result(path, bare, size=size, modified=modified)


@dataclass(frozen=True, slots=True)
class JudgeOpening:
    """Makes a ``Judge`` in another process, of the very model file's content that was checked.

    ``version`` and ``runtime`` are those of the process that asked: a node that has others would
    judge by other rounding (BackendError).
    """

    content: bytes = field(repr=False)
    threshold: float
    threads: int
    kernels: str
    version: str
    runtime: str
    overlays: Path | None = None
    at_least: int = 0
    folder: Path = Path()

    def __call__(self) -> Judge:
        """Open the network on the CPU, in a process that does nothing else."""
        keep()
        self._require_the_same()
        bundle = Bundle.from_bytes(self.content)
        classifier = Classifier(
            bundle, open_backend(bundle, threads=self.threads, kernels=self.kernels)
        )
        classifier.use_threshold(self.threshold)
        return Judge(classifier, self.overlays, self.at_least, self.folder)

    def _require_the_same(self) -> None:
        here = f"corrosion-edge {__version__} and {find_runtime()[1]}"
        asked = f"corrosion-edge {self.version} and {self.runtime}"
        if here != asked:
            raise BackendError(
                f"{socket.gethostname()} has {here}, this command {asked}: install the same on all "
                "nodes, or their scores cannot be compared"
            )


def blame(path: str) -> Result:
    """The result of a photo that ended each process which tried it."""
    return Result(
        path,
        error=f"{path}: ended the process that read it, twice; it may need more memory than there "
        "is: reduce it first",
    )


def _stat(path: Path) -> tuple[int | None, int | None]:
    """Size in bytes and time of the last change in ns since the epoch, where there is a file."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None, None
    return found.st_size, found.st_mtime_ns


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
