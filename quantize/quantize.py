"""From a run to a model file: convert, compare, and deliver only what passed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from corrosion_edge import output
from corrosion_edge.bundle import Bundle
from corrosion_edge.calibration import log_odds
from corrosion_edge.confidence import Confidence
from corrosion_edge.device.backends import open_backend
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.precision import INT8, require_precision
from corrosion_edge.progress import say
from corrosion_edge.quantize import golden
from corrosion_edge.quantize.calibrate import choose
from corrosion_edge.quantize.edgetpu.target import aim, deliver
from corrosion_edge.quantize.evidence.comparison import DriftReport
from corrosion_edge.quantize.evidence.files import write_evidence
from corrosion_edge.quantize.evidence.further import Further, read_further, require_names
from corrosion_edge.quantize.evidence.limits import Limits
from corrosion_edge.quantize.evidence.maps import with_map
from corrosion_edge.quantize.evidence.models import Look, keras_look
from corrosion_edge.quantize.evidence.page import Subject
from corrosion_edge.quantize.evidence.sets import Evidence
from corrosion_edge.quantize.found import Found
from corrosion_edge.quantize.judge import Judge, judge_of
from corrosion_edge.quantize.ladder.ladder import Photos, Rung, best, climb, reaches
from corrosion_edge.quantize.ladder.pictures import pictures
from corrosion_edge.quantize.layers.measure import of_rungs
from corrosion_edge.quantize.precision.maker import Maker
from corrosion_edge.quantize.precision.rung import diagnosis
from corrosion_edge.quantize.precision.side_by_side import (
    SideBySide,
    candidates,
    compare_precisions,
)
from corrosion_edge.quantize.sealing import compared_bundle, taken_bundle
from corrosion_edge.quantize.worth import worth
from corrosion_edge.trainer.load import GIVEN, GROUPED, Splits, load
from corrosion_edge.trainer.model import deliverable
from corrosion_edge.trainer.model import load as load_model
from corrosion_edge.trainer.run import Run
from corrosion_edge.trainer.samples import Samples

__all__ = ["Request", "Result", "quantize"]

_GATE: Final = "validation"  # the photos whose drift decides


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to quantize, with which photos, and how much it may drift.

    ``effort`` is one of ``EFFORTS`` and for int8 alone, ``target`` of ``TARGETS``. ``precision``
    is one of ``PRECISIONS``; ``compare`` names, of ``COMPARED``, what else is measured beside it.
    Without ``heatmap`` the model has the output ``scores`` alone. ``author`` and ``license`` go
    into its standard metadata.
    """

    run: Path
    data: Path
    out: Path
    calibration: int
    seed: int
    limits: Limits
    effort: str = "search"
    target: str = "cpu"
    heatmap: bool = True
    author: str = ""
    license: str = ""
    also: tuple[Further, ...] = ()
    precision: str = INT8
    compare: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_precision(self.precision)

    layers: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Result:
    """What came of it; ``other_data``: the photos are not the training's; ``refused``: why not."""

    evidence: Evidence
    found: Found
    report: Path
    unreadable: tuple[str, ...]
    other_data: bool
    model_bytes: int
    refused: tuple[str, ...]

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
    judges = {
        name: judge_of(run, network, samples, request.limits)
        for name, samples in _sets(request, run, photos, positive).items()
    }
    training = photos.samples["train"]
    chosen = choose(training, request.calibration, request.seed)
    maker = Maker(deliverable(network, heatmap=request.heatmap), training.pixels[chosen])
    rungs = tuple(_rungs(request, maker, photos, judges))
    taken = best(rungs)
    bundle = golden.with_golden(taken_bundle(request, run, taken))
    with Classifier(bundle, open_backend(bundle)) as classifier:
        looks = keras_look(network, run.threshold), classifier.classify
        evidence = with_map(_evidence(judges, taken, bundle, request.limits), looks)
        confidence = worth(run, evidence.data)
        aimed = aim(bundle.model, request.out.name, wanted=request.target == "edgetpu")
        found = Found(
            rungs,
            taken,
            aimed,
            _compared(request, run, maker, judges[_GATE], (rungs, taken)),
            of_rungs(maker.conversions.float_model, rungs, taken, photos) if request.layers else {},
        )
        report = _write_report(request.out, run, evidence, found, confidence, looks)
    refused = (*evidence.broken, *aimed.refusals)
    if not refused:
        done = bundle.with_fields(drift=evidence.to_dict(), confidence=confidence)
        deliver(done, request.out, aimed)
    return Result(
        evidence=evidence,
        found=found,
        report=report,
        unreadable=photos.unreadable
        + tuple(s for e in request.also for s in judges[e.name].samples.unreadable),
        other_data=photos.describe()["fingerprint"] != run.info["data"]["fingerprint"],
        model_bytes=len(bundle.model),
        refused=refused,
    )


def _compared(
    request: Request, run: Run, maker: Maker, judge: Judge, climbed: tuple[tuple[Rung, ...], Rung]
) -> SideBySide | None:
    if not request.compare:
        return None
    return compare_precisions(
        request.compare,
        candidates(*climbed, request.precision),
        maker.make,
        lambda model, precision: compared_bundle(request, run, model, precision),
        judge,
    )


def _rungs(
    request: Request, maker: Maker, photos: Splits, judges: Mapping[str, Judge]
) -> Iterator[Rung]:
    """Conversions, until one reaches the aims or the effort is spent; one of other precisions."""
    judge = judges[_GATE]
    if request.precision != INT8:
        yield diagnosis(maker, request.precision, judge)
        return
    made = maker.conversions
    training, seed = photos.samples["train"], request.seed
    fitted = Photos(
        pictures(training, request.calibration, seed),
        judge.samples.pixels,
        log_odds(judge.before),
        lambda epoch: pictures(training, len(training), seed + 1 + epoch),
    )
    clean = [judges[entry.name] for entry in request.also if entry.clean]

    def rise(model: bytes) -> float:
        return max((judge.alarm_rise(model) for judge in clean), default=0.0)

    for rung in climb(made, fitted, judge, request.effort, rise):
        say(f"Rung {rung.name}: {rung.sentence}")
        yield rung
        if reaches(rung):
            return


def _require_further(request: Request, run: Run) -> str:
    """A wrong further folder is said before the work; returns the run's class of corrosion."""
    positive: str = run.info["data"]["classes"]["corrosion"]
    require_names(request.also, _GATE)
    for entry in request.also:
        entry.photos(positive)
    return positive


def _photos(run: Run, data: Path) -> Splits:
    """The run's own splits: its seed splits a folder that came without, its classes are named."""
    positive = run.info["data"]["classes"]["corrosion"]
    split = "grouped" if run.info["data"]["split"] == GROUPED else GIVEN
    return load(data, run.preprocessing, positive=positive, seed=run.info["seed"], split=split)


def _sets(request: Request, run: Run, photos: Splits, positive: str) -> dict[str, Samples]:
    """The photos that conversions are compared on, the gate's first."""
    further = {e.name: read_further(e, run.preprocessing, positive) for e in request.also}
    return {_GATE: photos.samples[_GATE], **further}


def _evidence(judges: Mapping[str, Judge], taken: Rung, bundle: Bundle, limits: Limits) -> Evidence:
    """Float and the converted model compared on the gate's photos and on the further sets."""
    manifest = bundle.manifest
    data, *further = (
        judge.scored(name, taken.model, manifest.precision) for name, judge in judges.items()
    )
    return Evidence.of(data, further, manifest.threshold, limits, manifest.precision)


def _write_report(
    out: Path,
    run: Run,
    evidence: Evidence,
    found: Found,
    confidence: Confidence,
    looks: tuple[Look, Look],
) -> Path:
    subtitle = f"{run.info['backbone']}, recipe {run.info['recipe']}, {evidence.converted}"
    subject = Subject(f"Conversion of {out.name}", subtitle, confidence)
    return write_evidence(
        out.with_suffix(".drift"),
        subject,
        evidence,
        looks,
        sections=found.sections(),
        more=found.to_dict(),
    )
