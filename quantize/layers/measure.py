"""From model files and photos to findings about their tensors."""

import zipfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from corrosion_edge.bundle import Bundle
from corrosion_edge.errors import BundleError, DataError, UsageError
from corrosion_edge.image import Preprocessing
from corrosion_edge.network.sound import require_sound
from corrosion_edge.quantize.calibrate import choose
from corrosion_edge.quantize.convert import float_conversion
from corrosion_edge.quantize.evidence.float_tflite import FloatTflite
from corrosion_edge.quantize.flatbuffer import output_names, unpack
from corrosion_edge.quantize.ladder.ladder import Rung
from corrosion_edge.quantize.layers.findings import Findings, examine
from corrosion_edge.trainer.data import scan
from corrosion_edge.trainer.evaluate import KERAS_THRESHOLD, Scorer, open_scorer, photos_of
from corrosion_edge.trainer.load import Splits
from corrosion_edge.trainer.model import deliverable
from corrosion_edge.trainer.model import load as load_model
from corrosion_edge.trainer.run import Run
from corrosion_edge.trainer.samples import Samples

__all__ = ["PHOTOS", "Request", "measure_layers", "of_rungs"]

PHOTOS: Final = 32
"""How many photos tensors are compared on."""

_SEED: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which models, on which and how many photos; ``measured`` worst tensors are run again."""

    reference: Path
    quantized: Path
    data: Path
    split: str
    positive: str | None = None
    photos: int = PHOTOS
    measured: int = 12


def measure_layers(request: Request) -> Findings:
    """Compare the tensors of two model files on photos, half of each class, seeded.

    The float one is a run's folder, a ``.keras`` or a float ``.tflite`` file; the int8 one a model
    file of ``quantize`` or a bare int8 flatbuffer. Raises UsageError, DataError, BundleError,
    BackendError.
    """
    scan(request.data, request.positive)
    integer, spec = _integer(request.quantized)
    reference = _float(request.reference, heatmap="map" in output_names(integer))
    with ExitStack() as open_models:
        scorer = _scorer(request, spec, open_models)
        _, samples = photos_of(scorer, request.data, request.split, request.positive)
    return examine(reference, integer, _some(samples, request.photos), request.measured)


def of_rungs(
    reference: bytes, rungs: Sequence[Rung], taken: Rung, photos: Splits
) -> dict[str, Findings]:
    """Findings about the first of ``rungs`` and the one that was taken, by their names.

    On ``PHOTOS`` validation photos; ``reference`` is the float flatbuffer they were made of.
    """
    pixels = _some(photos.samples["validation"], PHOTOS)
    models = {rung.name: rung.model for rung in (rungs[0], taken)}
    return {name: examine(reference, model, pixels) for name, model in models.items()}


def _some(samples: Samples, count: int) -> npt.NDArray[np.uint8]:
    pixels: npt.NDArray[np.uint8] = samples.pixels[choose(samples, count, _SEED)]
    return pixels


def _integer(path: Path) -> tuple[bytes, Preprocessing]:
    if path.is_file() and zipfile.is_zipfile(path):
        bundle = Bundle.load(path)
        return bundle.model, bundle.manifest.preprocessing
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path}: cannot be read ({error.strerror})") from None
    require_sound(content)
    graph = unpack(content).subgraphs[0]
    shape = [int(size) for size in graph.tensors[graph.inputs[0]].shape]
    if len(shape) != 4 or shape[0] != 1 or shape[3] != 3:
        raise UsageError(f"{path}: expected an input [1, h, w, 3] of pixels, got {shape}")
    return content, Preprocessing(shape[2], shape[1])


def _float(path: Path, *, heatmap: bool) -> bytes:
    if path.is_file() and path.suffix != ".keras":
        with FloatTflite(path):
            return path.read_bytes()
    if not path.exists():
        raise DataError(f"{path}: no such model; name a run's folder, a .keras or a .tflite file")
    network = load_model(Run.open(path).model if path.is_dir() else path)
    return float_conversion(deliverable(network, heatmap=heatmap))


def _scorer(request: Request, spec: Preprocessing, open_models: ExitStack) -> Scorer:
    """What knows which photos the training held out: the run, else the model file."""
    if request.reference.is_dir():
        return open_scorer(request.reference, open_models)
    if zipfile.is_zipfile(request.quantized):
        return open_scorer(request.quantized, open_models)
    return Scorer(spec, KERAS_THRESHOLD, lambda _: np.empty(0))
