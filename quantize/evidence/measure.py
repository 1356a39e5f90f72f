"""Comparing a float model file with a converted one on folders of photos."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from corrosion_edge.quantize.evidence.files import write_evidence
from corrosion_edge.quantize.evidence.further import Further, read_further, require_names
from corrosion_edge.quantize.evidence.limits import Limits
from corrosion_edge.quantize.evidence.maps import with_map
from corrosion_edge.quantize.evidence.models import (
    Side,
    open_float,
    open_int8,
    require_same_input,
)
from corrosion_edge.quantize.evidence.page import Subject
from corrosion_edge.quantize.evidence.sets import Evidence, Scored
from corrosion_edge.trainer.data import scan
from corrosion_edge.trainer.evaluate import photos_of, score_all
from corrosion_edge.trainer.samples import Samples

__all__ = ["Request", "Result", "measure_drift"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which models, on which photos, and how far they may be apart."""

    reference: Path
    quantized: Path
    data: Path
    split: str
    positive: str | None
    also: tuple[Further, ...]
    limits: Limits


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Result:
    """What was found, the page if one was asked for, and notes for the user."""

    evidence: Evidence
    page: Path | None
    notes: tuple[str, ...]


def measure_drift(request: Request, out: Path | None = None) -> Result:
    """Score all photos with both models, compare, and write drift.json, .csv, .html to ``out``.

    Raises UsageError, DataError, BundleError, BackendError or OutputError.
    """
    _require_folders(request)
    with ExitStack() as open_models:
        reference = open_float(request.reference, open_models)
        quantized = open_int8(request.quantized, open_models)
        require_same_input(reference, quantized)
        sets = _score(request, reference, quantized)
        threshold = quantized.scorer.threshold
        evidence = Evidence.of(sets[0], sets[1:], threshold, request.limits, quantized.precision)
        looks = reference.look, quantized.look
        evidence = with_map(evidence, looks)
        page = None
        if out is not None:
            subject = _subject(request, quantized)
            page = write_evidence(out / "drift", subject, evidence, looks)
    return Result(evidence=evidence, page=page, notes=_notes(request, reference, quantized))


def _require_folders(request: Request) -> None:
    """A wrong folder or name is said before models are loaded and photos scored."""
    scan(request.data, request.positive)
    require_names(request.also, request.split)
    for entry in request.also:
        entry.photos(request.positive)


def _score(request: Request, reference: Side, quantized: Side) -> list[Scored]:
    """All photos, scored: first those of the data, then those of the further folders."""
    knows = reference if reference.scorer.own_split else quantized
    part, held_out = photos_of(knows.scorer, request.data, request.split, request.positive)
    named = {part or request.data.resolve().name: held_out}
    require_names(request.also, next(iter(named)))
    for entry in request.also:
        named[entry.name] = read_further(entry, knows.scorer.spec, request.positive)
    return [_scored(name, photos, reference, quantized) for name, photos in named.items()]


def _scored(name: str, samples: Samples, reference: Side, quantized: Side) -> Scored:
    before, after = (score_all(side.scorer, samples) for side in (reference, quantized))
    return Scored(name, samples, before, after)


def _subject(request: Request, quantized: Side) -> Subject:
    title = f"Conversion of {request.quantized.name}"
    return Subject(title, f"float: {request.reference}", quantized.scorer.confidence)


def _notes(request: Request, reference: Side, quantized: Side) -> tuple[str, ...]:
    own, used = reference.scorer.threshold, quantized.scorer.threshold
    if not request.reference.is_dir() or own == used:
        return ()
    return (
        f"note: the verdicts of both are at INT8's threshold {used:g}; "
        f"{request.reference} has {own:g}",
    )
