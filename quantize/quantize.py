"""From a run to a model file: convert, compare, and deliver only what passed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corrosion_edge import __version__, output
from corrosion_edge.bundle import Bundle
from corrosion_edge.calibration import log_odds
from corrosion_edge.confidence import Confidence, assess, reassess
from corrosion_edge.device.backends import open_backend
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.progress import progress, say
from corrosion_edge.quantize import golden
from corrosion_edge.quantize.about import about, model_name
from corrosion_edge.quantize.calibrate import choose
from corrosion_edge.quantize.convert import conversions
from corrosion_edge.quantize.drift import compare
from corrosion_edge.quantize.evidence.comparison import DriftReport
from corrosion_edge.quantize.evidence.files import write_evidence
from corrosion_edge.quantize.evidence.further import Further, read_further, require_names
from corrosion_edge.quantize.evidence.limits import Limits
from corrosion_edge.quantize.evidence.models import keras_look
from corrosion_edge.quantize.evidence.page import Subject
from corrosion_edge.quantize.evidence.sets import Evidence, Scored
from corrosion_edge.quantize.flatbuffer import output_names
from corrosion_edge.quantize.ladder.ladder import EFFORTS, Photos, Rung, best, climb, reaches
from corrosion_edge.quantize.ladder.page import rungs_section
from corrosion_edge.quantize.ladder.pictures import pictures
from corrosion_edge.quantize.layers.findings import Findings
from corrosion_edge.quantize.layers.measure import layers_json, of_rungs, rung_sections
from corrosion_edge.quantize.metadata import with_metadata
from corrosion_edge.trainer.load import GIVEN, GROUPED, Splits, load
from corrosion_edge.trainer.model import deliverable, predict
from corrosion_edge.trainer.model import load as load_model
from corrosion_edge.trainer.run import Run
from corrosion_edge.trainer.samples import Samples

__all__ = ["EFFORTS", "Request", "Result", "quantize"]

_CARRIED = ("recipe", "backbone", "weights", "pooling", "image_size", "seed", "chosen", "command",
            "finished_at")  # fmt: skip
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to quantize, with which photos, and how much it may drift.

    ``effort`` is one of ``EFFORTS``. Without ``heatmap`` the model has the output ``scores``
    alone. ``author`` and ``license`` go into its metadata. ``layers``: compare tensors too.
    """

    run: Path
    data: Path
    out: Path
    calibration: int
    seed: int
    limits: Limits
    effort: str = "search"
    heatmap: bool = True
    author: str = ""
    license: str = ""
    also: tuple[Further, ...] = ()
    layers: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Result:
    """What came of it; ``other_data`` tells whether the photos are not those of the training."""

    evidence: Evidence
    rungs: tuple[Rung, ...]
    taken: Rung
    layers: Mapping[str, Findings]
    report: Path
    unreadable: tuple[str, ...]
    other_data: bool
    model_bytes: int

    @property
    def drift(self) -> DriftReport:
        """The comparison on the validation photos."""
        return self.evidence.main


def quantize(request: Request) -> Result:
    """Convert the run's model and write the drift report; the model file only within the limits.

    Beside ``out`` lie ``out``'s name with .drift.html, .drift.json and .drift.csv. Raises
    DataError, BackendError, OutputError.
    """
    output.require_writable(request.out.parent)
    run = Run.open(request.run)
    positive = _require_further(request, run)
    network = load_model(run.model)
    photos = _photos(run, request.data)
    rungs = tuple(_rungs(request, run, network, photos))
    taken = best(rungs)
    model = with_metadata(taken.model, about(run, author=request.author, license=request.license))
    bundle = golden.with_golden(
        _bundle(run, model, golden.pictures(), _provenance(request, run, taken))
    )
    sets = {"validation": photos.samples["validation"]}
    sets |= {e.name: read_further(e, run.preprocessing, positive) for e in request.also}
    evidence = _evidence(sets, network, bundle, run.threshold, request.limits)
    confidence = _confidence(run, evidence.data)
    layers = of_rungs(network, rungs, taken, photos, request.heatmap) if request.layers else {}
    tried = rungs, taken, layers
    report = _write_report(request.out, run, evidence, tried, confidence, network, bundle)
    if not evidence.broken:
        bundle.with_fields(drift=evidence.to_dict(), confidence=confidence).save(request.out)
    return Result(
        evidence=evidence,
        rungs=rungs,
        taken=taken,
        layers=layers,
        report=report,
        unreadable=photos.unreadable
        + tuple(s for e in request.also for s in sets[e.name].unreadable),
        other_data=photos.describe()["fingerprint"] != run.info["data"]["fingerprint"],
        model_bytes=len(model),
    )


def _rungs(request: Request, run: Run, network: Any, photos: Splits) -> Iterator[Rung]:
    """Conversions, until one reaches the aims or the effort is spent."""
    training, held_out = photos.samples["train"], photos.samples["validation"]
    before = predict(network, held_out.pixels)

    def judge(model: bytes) -> DriftReport:
        after = _scores(_bundle(run, model, {}, {}), held_out)
        return compare(
            held_out.labels, before, after, run.threshold, request.limits, intervals=False
        )

    chosen = choose(training, request.calibration, request.seed)
    made = conversions(deliverable(network, heatmap=request.heatmap), training.pixels[chosen])
    fitted = Photos(
        pictures(training, request.calibration, request.seed), held_out.pixels, log_odds(before)
    )
    for rung in climb(made, fitted, judge, request.effort):
        say(f"Rung {rung.name}: {rung.sentence}")
        yield rung
        if reaches(rung):
            return


def _require_further(request: Request, run: Run) -> str:
    """A wrong further folder is said before the work; returns the run's class of corrosion."""
    positive: str = run.info["data"]["classes"]["corrosion"]
    require_names(request.also, "validation")
    for entry in request.also:
        entry.photos(positive)
    return positive


def _photos(run: Run, data: Path) -> Splits:
    """The run's own splits: its seed splits a folder that came without, its classes are named."""
    positive = run.info["data"]["classes"]["corrosion"]
    split = "grouped" if run.info["data"]["split"] == GROUPED else GIVEN
    return load(data, run.preprocessing, positive=positive, seed=run.info["seed"], split=split)


def _bundle(
    run: Run, model: bytes, files: Mapping[str, bytes], provenance: Mapping[str, Any]
) -> Bundle:
    return Bundle.seal(
        model,
        files,
        name=model_name(run),
        outputs={name: name for name in output_names(model)},
        threshold=run.threshold,
        preprocessing=run.preprocessing,
        provenance=provenance,
    )


def _provenance(request: Request, run: Run, taken: Rung) -> Mapping[str, Any]:
    data = run.info["data"]
    photos = f"{request.calibration} training photos, half of each class, seed {request.seed}"
    return {
        "corrosion_edge": __version__,
        "training": {name: run.info[name] for name in _CARRIED},
        "data": {name: data[name] for name in ("fingerprint", "classes", "split", "photos")},
        "versions": run.info["versions"],
        "quantization": {
            "converter": f"tensorflow {version('tensorflow')}",
            "calibration": photos,
            "effort": request.effort,
            "rung": taken.name,
            "what": taken.what,
            **taken.notes,
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


def _evidence(
    sets: Mapping[str, Samples], network: Any, bundle: Bundle, threshold: float, limits: Limits
) -> Evidence:
    """Float and int8 compared on every set, the first of which is the gate's."""
    data, *further = (
        Scored(name, samples, predict(network, samples.pixels), _scores(bundle, samples))
        for name, samples in sets.items()
    )
    return Evidence.of(data, further, threshold, limits)


def _confidence(run: Run, scored: Scored) -> Confidence:
    """What the int8 model's own scores are worth; the temperature is the run's, if it has one."""
    labels, after = scored.samples.labels, scored.after
    if run.confidence is None:
        return assess(labels, after, uncalibrated=scored.before)
    return reassess(run.confidence, labels, after)


def _write_report(
    out: Path,
    run: Run,
    evidence: Evidence,
    tried: tuple[tuple[Rung, ...], Rung, Mapping[str, Findings]],
    confidence: Confidence,
    network: Any,
    bundle: Bundle,
) -> Path:
    rungs, taken, layers = tried
    subtitle = f"{run.info['backbone']}, recipe {run.info['recipe']}"
    subject = Subject(f"Conversion of {out.name}", subtitle, confidence)
    with Classifier(bundle, open_backend(bundle)) as classifier:
        looks = keras_look(network, run.threshold), classifier.classify
        return write_evidence(
            out.with_suffix(".drift"), subject, evidence, looks,
            sections=[rungs_section(rungs, taken), *rung_sections(layers)],
            more=layers_json(layers)
            | {"rungs": [rung.to_dict() for rung in rungs], "rung": taken.name},
        )  # fmt: skip
