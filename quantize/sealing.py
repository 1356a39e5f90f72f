"""From a flatbuffer to a bundle: names, metadata, and how it was made."""

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from corrosion_edge import __version__
from corrosion_edge.bundle import Bundle
from corrosion_edge.precision import INT8
from corrosion_edge.quantize import golden
from corrosion_edge.quantize.about import about, model_name
from corrosion_edge.quantize.flatbuffer import output_names
from corrosion_edge.quantize.metadata import with_metadata
from corrosion_edge.trainer.run import Run

if TYPE_CHECKING:
    from corrosion_edge.quantize.ladder.ladder import Rung
    from corrosion_edge.quantize.quantize import Request

__all__ = ["bare_bundle", "compared_bundle", "taken_bundle"]

_CARRIED: Final = ("recipe", "backbone", "weights", "pooling", "image_size", "seed", "chosen",
                   "command", "finished_at")  # fmt: skip
_FITTED: Final = (INT8, "int16x8")  # to calibration photos; the others round without any


def bare_bundle(run: Run, model: bytes, precision: str) -> Bundle:
    """What is needed to run a flatbuffer, and no more."""
    return _bundle(run, model, precision, {}, {})


def compared_bundle(request: "Request", run: Run, model: bytes, precision: str) -> Bundle:
    """A flatbuffer with its metadata, as it would be delivered, without golden pictures."""
    return bare_bundle(run, _told(request, run, model, precision), precision)


def taken_bundle(request: "Request", run: Run, taken: "Rung") -> Bundle:
    """The conversion that was taken, with metadata, golden pictures and provenance."""
    model = _told(request, run, taken.model, request.precision)
    made = _provenance(request, run, taken)
    return _bundle(run, model, request.precision, golden.pictures(), made)


def _told(request: "Request", run: Run, model: bytes, precision: str) -> bytes:
    words = about(run, author=request.author, license=request.license, precision=precision)
    return with_metadata(model, words)


def _bundle(
    run: Run,
    model: bytes,
    precision: str,
    files: Mapping[str, bytes],
    provenance: Mapping[str, Any],
) -> Bundle:
    return Bundle.seal(
        model,
        files,
        name=model_name(run, precision),
        outputs={name: name for name in output_names(model)},
        threshold=run.threshold,
        preprocessing=run.preprocessing,
        provenance=provenance,
        precision=precision,
    )


def _provenance(request: "Request", run: Run, taken: "Rung") -> Mapping[str, Any]:
    data = run.info["data"]
    photos = f"{request.calibration} training photos, half of each class, seed {request.seed}"
    fitted = {"calibration": photos} if request.precision in _FITTED else {}
    effort = {"effort": request.effort} if request.precision == INT8 else {}
    return {
        "corrosion_edge": __version__,
        "training": {name: run.info[name] for name in _CARRIED},
        "data": {name: data[name] for name in ("fingerprint", "classes", "split", "photos")},
        "versions": run.info["versions"],
        "quantization": {
            "converter": f"tensorflow {version('tensorflow')}",
            "precision": request.precision,
            **fitted,
            **effort,
            "rung": taken.name,
            "what": taken.what,
            **taken.notes,
            "runtime": f"ai-edge-litert {version('ai-edge-litert')}",
            "pillow": version("pillow"),
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    }
