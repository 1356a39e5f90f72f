"""From a run to a model file: convert, compare, and deliver only what passed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corrosion_edge import __version__, output
from corrosion_edge.bundle import Bundle
from corrosion_edge.confidence import Confidence, assess, reassess
from corrosion_edge.device.backends import open_backend
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.prediction import LABELS
from corrosion_edge.progress import progress
from corrosion_edge.quantize import golden
from corrosion_edge.quantize.about import about, model_name
from corrosion_edge.quantize.calibrate import choose
from corrosion_edge.quantize.convert import convert
from corrosion_edge.quantize.drift import DriftReport, Limits, compare
from corrosion_edge.quantize.flatbuffer import output_names
from corrosion_edge.quantize.metadata import with_metadata
from corrosion_edge.quantize.report import drift_page
from corrosion_edge.trainer.load import GIVEN, GROUPED, Splits, load
from corrosion_edge.trainer.model import deliverable, predict
from corrosion_edge.trainer.model import load as load_model
from corrosion_edge.trainer.run import Run
from corrosion_edge.trainer.samples import Samples

__all__ = ["Request", "Result", "quantize"]

_CARRIED = ("recipe", "backbone", "weights", "pooling", "image_size", "seed", "chosen", "command",
            "finished_at")  # fmt: skip
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to quantize, with which photos, and how much it may drift.

    Without ``heatmap`` the model has the output ``scores`` alone. ``author`` and ``license`` go
    into its standard metadata.
    """

    run: Path
    data: Path
    out: Path
    calibration: int
    seed: int
    limits: Limits
    heatmap: bool = True
    author: str = ""
    license: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Result:
    """What came of it; ``other_data`` tells whether the photos are not those of the training."""

    drift: DriftReport
    report: Path
    unreadable: tuple[str, ...]
    other_data: bool
    model_bytes: int


def quantize(request: Request) -> Result:
    """Convert the run's model and write the drift report; the model file only within the limits.

    Beside ``out`` lie ``out``'s name with .drift.html, .drift.json and .drift.csv. Raises
    DataError, BackendError, OutputError.
    """
    output.require_writable(request.out.parent)
    run = Run.open(request.run)
    network = load_model(run.model)
    photos = _photos(run, request.data)
    chosen = choose(photos.samples["train"], request.calibration, request.seed)
    delivered = deliverable(network, heatmap=request.heatmap)
    model = convert(delivered, photos.samples["train"].pixels[chosen])
    model = with_metadata(model, about(run, author=request.author, license=request.license))
    bundle = _bundle(run, model, len(chosen), request.seed)
    held_out = photos.samples["validation"]
    before, after = predict(network, held_out.pixels), _scores(bundle, held_out)
    drift = compare(held_out.labels, before, after, run.threshold, request.limits)
    confidence = _confidence(run, held_out, before, after)
    report = _write_report(request.out, run, drift, confidence, held_out, before, after)
    if not drift.broken:
        bundle.with_fields(drift=drift.to_dict(), confidence=confidence).save(request.out)
    return Result(
        drift=drift,
        report=report,
        unreadable=photos.unreadable,
        other_data=photos.describe()["fingerprint"] != run.info["data"]["fingerprint"],
        model_bytes=len(model),
    )


def _photos(run: Run, data: Path) -> Splits:
    """The run's own splits: its seed splits a folder that came without, its classes are named."""
    positive = run.info["data"]["classes"]["corrosion"]
    split = "grouped" if run.info["data"]["split"] == GROUPED else GIVEN
    return load(data, run.preprocessing, positive=positive, seed=run.info["seed"], split=split)


def _bundle(run: Run, model: bytes, calibration: int, seed: int) -> Bundle:
    bundle = Bundle.seal(
        model,
        golden.pictures(),
        name=model_name(run),
        outputs={name: name for name in output_names(model)},
        threshold=run.threshold,
        preprocessing=run.preprocessing,
        provenance=_provenance(run, calibration, seed),
    )
    return golden.with_golden(bundle)


def _provenance(run: Run, calibration: int, seed: int) -> Mapping[str, Any]:
    data = run.info["data"]
    return {
        "corrosion_edge": __version__,
        "training": {name: run.info[name] for name in _CARRIED},
        "data": {name: data[name] for name in ("fingerprint", "classes", "split", "photos")},
        "versions": run.info["versions"],
        "quantization": {
            "converter": f"tensorflow {version('tensorflow')}",
            "calibration": f"{calibration} training photos, half of each class, seed {seed}",
            "ranges": "minimum and maximum",
            "runtime": f"ai-edge-litert {version('ai-edge-litert')}",
            "pillow": version("pillow"),
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    }


def _scores(bundle: Bundle, samples: Samples) -> Scores:
    """The int8 model's probabilities, through the device's own classifier."""
    with Classifier(bundle, open_backend(bundle)) as classifier:
        pictures = progress(samples.pixels, "Comparing", length=len(samples))
        return np.array([classifier.classify(picture).score for picture in pictures])


def _confidence(run: Run, samples: Samples, before: Scores, after: Scores) -> Confidence:
    """What the int8 model's own scores are worth; the temperature is the run's, if it has one."""
    if run.confidence is None:
        return assess(samples.labels, after, uncalibrated=before)
    return reassess(run.confidence, samples.labels, after)


def _write_report(
    out: Path,
    run: Run,
    drift: DriftReport,
    confidence: Confidence,
    samples: Samples,
    before: Scores,
    after: Scores,
) -> Path:
    page = out.with_suffix(".drift.html")
    output.write(out.with_suffix(".drift.json"), output.json_text(drift.to_dict()))
    output.write(out.with_suffix(".drift.csv"), _csv(samples, before, after))
    output.write(page, drift_page(out.name, run.info, drift, confidence, samples, before, after))
    return page


def _csv(samples: Samples, before: Scores, after: Scores) -> str:
    rows = [
        (photo.path, LABELS[photo.label], f"{f:.6f}", f"{q:.6f}")
        for photo, f, q in zip(samples.photos, before, after, strict=True)
    ]
    return output.csv_text(("path", "label", "float_score", "int8_score"), rows)
