"""A network's files: ``python -m corrosion_edge.benchmarks.peers.prepare NAME FOLDER FILE...``.

In FOLDER: ``int8.tflite``, one model file for all that read TFLite, with the operators that
``quantize`` gives it; ``float.tflite`` and ``float.keras`` with the same weights, of the default
model with random ones, as its own do not ship; and ``.onnx`` of the TFLite files. At last
``made.json``, which tells what there is, and why the rest is not. Files there are kept.

Each conversion has a process of its own: those of a large network take up to 12 GB, and give none
of it back.
"""

import json
import multiprocessing
import sys
from collections.abc import Callable, Collection
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, Final

import numpy as np

from corrosion_edge import __version__, image, output
from corrosion_edge.benchmarks.peers.files import DEFAULT, INT8, MADE
from corrosion_edge.bundle import DEFAULT_MODEL, Bundle
from corrosion_edge.errors import BackendError, CorrosionEdgeError, UsageError
from corrosion_edge.image import Preprocessing
from corrosion_edge.quantize.about import About
from corrosion_edge.quantize.metadata import with_metadata
from corrosion_edge.render import SURFACES, surface

__all__ = ["main", "make"]

_CALIBRATION: Final = 4  # pictures of each kind of surface
_NETWORK: Final = "efficientnetv2-b0"  # which the default model is
_INTEGERS: Final = (INT8, "int8.onnx")
_FLOATS: Final = ("float.tflite", "float.keras", "float.onnx")


def make(name: str, folder: Path, wanted: Collection[str], size: int = 224) -> dict[str, Any]:
    """Make what of the ``wanted`` files is not there yet, and tell.

    That is: ``converted``, how the int8 file was; ``random``, the files with random weights;
    ``absent`` (file: why). ``size`` is an untrained network's input, in pixels. Raises
    UsageError for an unknown name or for files of an older version, BackendError if the converter
    fails.
    """
    output.make_folder(folder)
    trained = name == DEFAULT
    if trained:
        _default(folder)
    elif not (folder / INT8).is_file():
        _apart(_untrained, name, folder, size)
    converted = _converted(folder / INT8)
    if trained and {*_FLOATS} & {*wanted} and not (folder / "float.tflite").is_file():
        _apart(_float, _NETWORK, folder, Bundle.load(folder / INT8).manifest.preprocessing.width)
    made = {
        "network": name,
        "converted": converted,
        "random": list(_FLOATS if trained else (*_INTEGERS, *_FLOATS)),
        "absent": _onnx(folder, wanted),
    }
    output.write(folder / MADE, output.json_text(made))
    return made


def _converted(model: Path) -> str:
    told = Bundle.load(model).manifest.provenance.get("converted")
    if not isinstance(told, str):
        raise UsageError(
            f"--files: {model} was made by an older version, which converted otherwise; give "
            "another folder, or remove this one"
        )
    return told


def _default(folder: Path) -> None:
    """The model that ships now, whichever lies there."""
    bundle = Bundle.load(DEFAULT_MODEL)
    fields = {n: getattr(bundle.manifest, n) for n in ("outputs", "preprocessing", "threshold")}
    content = _seal(bundle.model, DEFAULT, "the model that ships", fields).to_bytes()
    if not (folder / INT8).is_file() or (folder / INT8).read_bytes() != content:
        (folder / "int8.onnx").unlink(missing_ok=True)
        output.write(folder / INT8, content)


def _network(name: str, folder: Path, size: int) -> tuple[Any, Any]:
    """The Keras model, also written as ``float.keras``, and pictures, uint8 [n, h, w, 3]."""
    from corrosion_edge.trainer.keras_start import start_keras

    start_keras()
    from corrosion_edge.benchmarks.peers.networks import untrained

    spec = Preprocessing(size, size)
    pictures = np.stack([image.prepare(p, spec) for p in _surfaces()])
    network = untrained(name, pictures)
    network.save(folder / "float.keras")
    return network, pictures


def _float(name: str, folder: Path, size: int) -> None:
    network, _ = _network(name, folder, size)
    from corrosion_edge.quantize.convert import float_conversion

    output.write(folder / "float.tflite", float_conversion(network))


def _untrained(name: str, folder: Path, size: int) -> None:
    network, pictures = _network(name, folder, size)
    from corrosion_edge.benchmarks.peers.integer import integer
    from corrosion_edge.quantize.convert import conversions
    from corrosion_edge.quantize.flatbuffer import output_names

    both = conversions(network, pictures)
    output.write(folder / "float.tflite", both.float_model)
    model, converted = integer(both, pictures)
    fields = {
        "outputs": {n: n for n in output_names(both.integer)},
        "preprocessing": Preprocessing(size, size),
        "threshold": 0.5,
    }
    _seal(model, name, converted, fields).save(folder / INT8)


def _surfaces() -> list[Any]:
    kinds = [(kind, 0.1 * step) for kind in SURFACES for step in range(_CALIBRATION)]
    return [
        surface(kind, rust=rust, seed=100 + seed, size=(480, 270))
        for seed, (kind, rust) in enumerate(kinds)
    ]


def _seal(model: bytes, name: str, converted: str, fields: dict[str, Any]) -> Bundle:
    """With the metadata that MediaPipe reads its labels from, and with how it was converted."""
    about = About(name=name, description="For benchmarks.", version=__version__)
    made = {"converted": converted}
    return Bundle.seal(with_metadata(model, about), {}, name=name, provenance=made, **fields)


def _onnx(folder: Path, wanted: Collection[str]) -> dict[str, str]:
    kinds = [kind for kind in ("int8", "float")
             if f"{kind}.onnx" in wanted and not (folder / f"{kind}.onnx").is_file()]  # fmt: skip
    if not kinds:
        return {}
    try:
        from corrosion_edge.benchmarks.peers.onnx_files import to_onnx

        for kind in kinds:
            _apart(to_onnx, folder / f"{kind}.tflite", folder / f"{kind}.onnx")
    except ModuleNotFoundError as error:
        reason = f"not installed: the package {error.name}; run tests/rigs/peers.sh"
        return {f"{kind}.onnx": reason for kind in kinds}
    return {}


def _apart(work: Callable[..., Any], *given: Any) -> None:
    """In a process that ends afterwards; what it raises is raised (BackendError if it dies)."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        try:
            pool.submit(work, *given).result()
        except BrokenProcessPool:
            raise BackendError(
                f"{' '.join(map(str, given))}: the conversion's process was ended, as the system "
                "does when memory runs out"
            ) from None


def main() -> None:
    """Make the files; a user's mistake is one line on standard error and its exit code."""
    try:
        make(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
    except CorrosionEdgeError as error:
        print(json.dumps({"error": type(error).__name__, "message": str(error)}), file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
