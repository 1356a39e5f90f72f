"""What comes out of the pipeline: verdicts, pictures that gave none, and the account of all."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from corrosion_edge.device.capture.quality import Quality
from corrosion_edge.device.clock import local_time
from corrosion_edge.device.events.event import ModelName
from corrosion_edge.frame import Frame
from corrosion_edge.prediction import Prediction

__all__ = ["ModelChange", "Tally", "Unreadable", "Unusable", "Verdict"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A frame with its prediction; ``latency_ms`` is the time of preparing, running, decoding."""

    frame: Frame
    prediction: Prediction
    latency_ms: float

    def __post_init__(self) -> None:
        if not self.latency_ms >= 0:
            raise ValueError(f"latency_ms: expected 0 or more, got {self.latency_ms}")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A photo that could not be read or judged: its place in the source, its file, and why.

    ``camera`` is as that of a ``Frame``.
    """

    index: int
    name: str
    error: str
    camera: str = ""


@dataclass(frozen=True, slots=True)
class Unusable:
    """A frame that got no verdict, for it is too dark, bright, covered, blurred or small."""

    frame: Frame
    quality: Quality

    def __post_init__(self) -> None:
        if self.quality.usable:
            raise ValueError("quality: expected one that is not ok")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChange:
    """The model's file changed: from here on ``new`` judges, or, not ``accepted``, still ``old``.

    ``at`` carries a time zone. ``reason`` is why it was refused; ``warnings`` are ways in which
    this machine answers otherwise than was measured. ``new`` is None where the file did not get
    so far as to have a name; ``file_sha256`` is that of its whole content in hex, empty where it
    could not be read. ``band`` holds the scores between which the accepted model abstains.
    ValueError for an accepted change without a model, or a refused one without a reason.
    """

    at: datetime
    file: str
    old: ModelName
    new: ModelName | None = None
    accepted: bool = False
    reason: str = ""
    warnings: tuple[str, ...] = ()
    band: tuple[float, float] | None = None
    file_sha256: str = ""

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("at: expected a time with a time zone, got a naive one")
        if self.accepted and self.new is None:
            raise ValueError("new: expected the model that was accepted, got None")
        if not self.accepted and not self.reason:
            raise ValueError("reason: expected why it was refused, got nothing")

    @property
    def event(self) -> str:
        """The kind of event that it makes."""
        return "model_changed" if self.accepted else "model_refused"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "event": self.event,
            "time": local_time(self.at),
            "file": self.file,
            "file_sha256": self.file_sha256 or None,
            "old": _named(self.old),
            "new": _named(self.new) if self.new else None,
            "reason": self.reason,
            "warnings": list(self.warnings),
        }

    def __str__(self) -> str:
        time = local_time(self.at)
        if self.accepted and self.new is not None:
            told = f"model changed: {_shown(self.old)} gave way to {_shown(self.new)}"
            return "; warning: ".join([f"{time}  {told}", *self.warnings])
        return f"{time}  model refused: {self.reason}; {_shown(self.old)} runs on"


def _named(model: ModelName) -> dict[str, Any]:
    return {"model": model.name, "model_sha256": model.sha256, "threshold": model.threshold}


def _shown(model: ModelName) -> str:
    return f"{model.name} ({model.sha256[:12]}, threshold {model.threshold:g})"


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of every frame: delivered = classified + skipped + unreadable + unusable.

    ``skipped`` came too early for the interval. ``dropped`` were replaced by a newer frame before
    they were delivered, or came while the accelerator was away; only live sources have them.
    """

    delivered: int = 0
    classified: int = 0
    skipped: int = 0
    dropped: int = 0
    unreadable: int = 0
    unusable: int = 0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if getattr(self, name) < 0:
                raise ValueError(f"{name}: expected 0 or more, got {getattr(self, name)}")
        rest = self.skipped + self.unreadable + self.unusable
        if self.delivered != self.classified + rest:
            raise ValueError(f"expected delivered to be the sum of the others, got {self}")

    def __str__(self) -> str:
        return (
            f"frames: {self.delivered} delivered = {self.classified} classified + "
            f"{self.skipped} skipped + {self.unreadable} unreadable + "
            f"{self.unusable} unusable; {self.dropped} dropped"
        )
