"""What happened: the kinds of events, and one that is not stored yet."""

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from corrosion_edge.device.accelerator.runs_on import RunsOn
from corrosion_edge.device.events.stamp import JUMP, Stamp
from corrosion_edge.frame import Picture, pixels_of
from corrosion_edge.prediction import Prediction

if TYPE_CHECKING:
    from corrosion_edge.device.classifier import Classifier

__all__ = ["KINDS", "Asset", "Happening", "ModelName", "Scene", "Span", "iso"]

KINDS: Final = (
    "started",
    "stopped",
    "corrosion_began",
    "corrosion_ended",
    "camera_degraded",
    "camera_lost",
    "camera_recovered",
    "unusable",
    "usable",
    "model_changed",
    "model_refused",
    "accelerator_lost",
    "accelerator_replaced",
    "accelerator_recovered",
    "clock_set",
    "pictures_removed",
    "store_recovered",
    "store_set_aside",
)
"""Every kind of event; the last three are the store's own."""


@dataclass(frozen=True, slots=True)
class Asset:
    """What a camera looks at: the structure's name and the camera's position, in free words."""

    name: str = ""
    position: str = ""


@dataclass(frozen=True, slots=True)
class ModelName:
    """A model's name, the SHA-256 of its network in hex, and the threshold in use, in [0, 1].

    ``backend`` is what the network runs on, empty for nothing, or where that is not told.
    """

    name: str
    sha256: str
    threshold: float
    backend: str = ""

    @classmethod
    def of(cls, classifier: "Classifier") -> "ModelName":
        """That of a running model's file."""
        return cls(classifier.name, classifier.manifest.model_sha256, classifier.threshold)

    @classmethod
    def answering(cls, classifier: "Classifier") -> "ModelName":
        """That of the network that answers now, which may stand in for the file's own."""
        runs = RunsOn.now(classifier)
        backend = "" if runs.lost else runs.name
        return cls(classifier.name, classifier.network_sha256, classifier.threshold, backend)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A frame's picture with what the model said of it, if it did; nobody writes into it."""

    picture: Picture
    prediction: Prediction | None = None

    @property
    def pixels(self) -> npt.NDArray[np.uint8]:
        """Uint8 [h, w, 3], RGB, 0..255."""
        return pixels_of(self.picture)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of frames: from ``start`` to ``end``, ``seconds`` long by the frames' own time.

    ``peak`` and ``mean`` are of the ``evidence`` frames' scores, in [0, 1]; ``frames`` were seen
    in all, unsure and unusable ones included. ValueError for what cannot be.
    """

    start: Stamp
    end: Stamp
    seconds: float
    peak: float
    mean: float
    frames: int
    evidence: int

    def __post_init__(self) -> None:
        if not (0 <= self.mean <= self.peak <= 1):
            raise ValueError(f"expected 0 <= mean <= peak <= 1, got {self.mean}, {self.peak}")
        if not (1 <= self.evidence <= self.frames):
            raise ValueError(f"evidence: expected 1 to {self.frames}, got {self.evidence}")
        if not (self.seconds >= 0 and math.isfinite(self.seconds)):
            raise ValueError(f"seconds: expected 0 or more, got {self.seconds}")

    @property
    def jump(self) -> float:
        """Seconds that the wall clock was set forward (or back, below 0) within; 0 if not seen."""
        if self.start.recording:
            return 0.0
        off = (self.end.wall - self.start.wall).total_seconds() - self.seconds
        return off if abs(off) > JUMP else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """An event on its way into the store, which gives it its sequence number.

    ``camera`` is empty for what concerns the whole watch. ``model`` is what judged, of corrosion
    the frame of its peak. ``clock_set`` says whether the wall clock was synchronised, None if
    unknown. ValueError for an unknown kind.
    """

    kind: str
    at: Stamp
    camera: str = ""
    asset: Asset = Asset()
    span: Span | None = None
    model: ModelName | None = None
    enter: float | None = None
    leave: float | None = None
    reason: str = ""
    clock_set: bool | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    scene: Scene | None = field(default=None, compare=False, repr=False)
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind: expected one of {', '.join(KINDS)}, got {self.kind!r}")

    def to_dict(self) -> dict[str, Any]:
        """The fields that are stored, without the sequence; scores and seconds rounded to 1e-6."""
        model, span = self.model, self.span
        ended = span is not None and self.kind.endswith("_ended")
        return {
            "uuid": self.uuid,
            "kind": self.kind,
            "at": iso(self.at.wall),
            "boot": self.at.boot,
            "monotonic_s": round(self.at.seconds, 6),
            "clock_set": self.clock_set,
            "recording": self.at.recording,
            "camera": self.camera,
            "asset": self.asset.name,
            "position": self.asset.position,
            "start": iso(span.start.wall) if span else None,
            "end": iso(span.end.wall) if span and ended else None,
            "start_monotonic_s": _monotonic(span.start) if span else None,
            "end_monotonic_s": _monotonic(span.end) if span and ended else None,
            "duration_s": round(span.seconds, 6) if span else None,
            "clock_jump_s": round(span.jump, 3) if span else None,
            "peak": round(span.peak, 6) if span else None,
            "mean": round(span.mean, 6) if span else None,
            "frames": span.frames if span else None,
            "evidence": span.evidence if span else None,
            "threshold": model.threshold if model else None,
            "enter": self.enter,
            "leave": self.leave,
            "model": model.name if model else None,
            "model_sha256": model.sha256 if model else None,
            "backend": (model.backend or None) if model else None,
            "reason": self.reason,
            "details": dict(self.details),
        }


def _monotonic(at: Stamp) -> float | None:
    """The monotonic clock's time; a place in a recording is none."""
    return None if at.recording else round(at.seconds, 6)


def iso(moment: datetime) -> str:
    """The moment in UTC as ISO 8601 with microseconds: such texts sort by time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
