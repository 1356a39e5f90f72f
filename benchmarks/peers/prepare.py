"""The files of one network: ``python -m corrosion_edge.benchmarks.peers.prepare NAME FOLDER``.

In FOLDER: ``int8.tflite``, one model file for all that read TFLite; for an untrained network
``float.tflite`` and ``float.keras`` with the same weights; and ``.onnx`` of the TFLite files. At
last ``made.json``, which tells what there is, and why the rest is not. Files there are kept.

Each conversion has a process of its own: those of a large network take up to 12 GB, and give none
of it back.
"""

import json
import multiprocessing
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, Final

import numpy as np

from corrosion_edge import __version__, image, output
from corrosion_edge.benchmarks.peers.files import DEFAULT, MADE
from corrosion_edge.bundle import DEFAULT_MODEL, Bundle
from corrosion_edge.errors import BackendError, CorrosionEdgeError
from corrosion_edge.image import Preprocessing
from corrosion_edge.quantize.about import About
from corrosion_edge.quantize.metadata import with_metadata
from corrosion_edge.render import SURFACES, surface

__all__ = ["main", "make"]

_CALIBRATION: Final = 4  # pictures of each kind of surface


def make(name: str, folder: Path, size: int = 224) -> dict[str, Any]:
    """Make what is not there yet, and tell: ``trained``, ``absent`` (file: why).

    ``size`` is an untrained network's input, in pixels. Raises UsageError for an unknown name,
    BackendError if the converter fails.
    """
    output.make_folder(folder)
    trained = name == DEFAULT
    if not (folder / "int8.tflite").is_file():
        _default(folder) if trained else _apart(_untrained, name, folder, size)
    absent = {}
    if trained:
        reason = "the package ships the int8 model alone"
        absent = {f"float.{kind}": reason for kind in ("tflite", "keras", "onnx")}
    absent |= _onnx(folder, ("int8",) if trained else ("int8", "float"))
    made = {"network": name, "trained": trained, "absent": absent}
    output.write(folder / MADE, output.json_text(made))
    return made


def _default(folder: Path) -> None:
    bundle = Bundle.load(DEFAULT_MODEL)
    fields = {n: getattr(bundle.manifest, n) for n in ("outputs", "preprocessing", "threshold")}
    _seal(bundle.model, DEFAULT, fields).save(folder / "int8.tflite")


def _untrained(name: str, folder: Path, size: int) -> None:
    from corrosion_edge.trainer.keras_start import start_keras

    start_keras()
    from corrosion_edge.benchmarks.peers.networks import untrained
    from corrosion_edge.quantize.convert import conversions, finished
    from corrosion_edge.quantize.flatbuffer import output_names

    spec = Preprocessing(size, size)
    pictures = np.stack([image.prepare(p, spec) for p in _surfaces()])
    network = untrained(name, pictures)
    network.save(folder / "float.keras")
    both = conversions(network, pictures)
    output.write(folder / "float.tflite", both.float_model)
    fields = {"preprocessing": spec, "threshold": 0.5}
    names = {n: n for n in output_names(both.integer)}
    model = _seal(finished(both.integer), name, {"outputs": names, **fields})
    model.save(folder / "int8.tflite")


def _surfaces() -> list[Any]:
    kinds = [(kind, 0.1 * step) for kind in SURFACES for step in range(_CALIBRATION)]
    return [
        surface(kind, rust=rust, seed=100 + seed, size=(480, 270))
        for seed, (kind, rust) in enumerate(kinds)
    ]


def _seal(model: bytes, name: str, fields: dict[str, Any]) -> Bundle:
    """With the metadata that MediaPipe reads its labels from."""
    about = About(name=name, description="For benchmarks.", version=__version__)
    return Bundle.seal(with_metadata(model, about), {}, name=name, **fields)


def _onnx(folder: Path, kinds: tuple[str, ...]) -> dict[str, str]:
    wanted = [kind for kind in kinds if not (folder / f"{kind}.onnx").is_file()]
    if not wanted:
        return {}
    try:
        from corrosion_edge.benchmarks.peers.onnx_files import to_onnx

        for kind in wanted:
            _apart(to_onnx, folder / f"{kind}.tflite", folder / f"{kind}.onnx")
    except ModuleNotFoundError as error:
        reason = f"not installed: the package {error.name}; run tests/rigs/peers.sh"
        return {f"{kind}.onnx": reason for kind in wanted}
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
        make(sys.argv[1], Path(sys.argv[2]))
    except CorrosionEdgeError as error:
        print(json.dumps({"error": type(error).__name__, "message": str(error)}), file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
