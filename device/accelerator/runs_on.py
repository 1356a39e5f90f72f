"""What the model runs on at this moment, as plain values."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from corrosion_edge.device.backends import Telling
from corrosion_edge.device.clock import local_time

if TYPE_CHECKING:
    from corrosion_edge.device.classifier import Classifier

__all__ = ["BACKENDS", "RunsOn"]

BACKENDS: Final = ("edgetpu", "cpu", "nothing")
"""Where a network runs; ``nothing`` while its accelerator is away and nobody stands in."""


@dataclass(frozen=True, slots=True)
class RunsOn:
    """``backend`` is one of ``BACKENDS``, ``name`` its runtime, version and device.

    ``accelerator`` is what the accelerator is called, empty where the CPU is no substitute. It is
    away for ``reason``, or works and the reason is empty; ``since`` is when it was lost or came
    back last, and it failed ``failures`` times. ValueError for another backend.
    """

    backend: str
    name: str
    accelerator: str = ""
    reason: str = ""
    since: datetime | None = None
    failures: int = 0

    def __post_init__(self) -> None:
        if self.backend not in BACKENDS:
            raise ValueError(f"backend: expected one of {BACKENDS}, got {self.backend!r}")

    @classmethod
    def now(cls, classifier: "Classifier") -> "RunsOn":
        """What a classifier runs on; any thread may ask."""
        backend = classifier.backend
        if not isinstance(backend, Telling):
            compiled = classifier.manifest.compiled is not None
            return cls("edgetpu" if compiled else "cpu", backend.name)
        state = backend.state
        if state is None:
            return cls("edgetpu", backend.name, backend.accelerator)
        kind = {"lost": "nothing", "replaced": "cpu"}.get(state.state, "edgetpu")
        reason = "" if kind == "edgetpu" else state.reason
        return cls(kind, state.answering, state.accelerator, reason, state.at, state.failures)

    @property
    def up(self) -> bool:
        """Whether an accelerator answers."""
        return self.backend == "edgetpu"

    @property
    def lost(self) -> bool:
        """Whether nothing answers."""
        return self.backend == "nothing"

    @property
    def stand_in(self) -> bool:
        """Whether the CPU answers in place of an accelerator."""
        return self.backend == "cpu" and bool(self.accelerator)

    @property
    def word(self) -> str:
        """The state in a few words, always the same ones."""
        if self.stand_in:
            return "CPU in place of the Edge TPU"
        return {"edgetpu": "Edge TPU", "cpu": "CPU"}.get(self.backend, "nothing")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; ``accelerator`` is null where none is used."""
        since = self.since and local_time(self.since)
        told = {
            "name": self.accelerator,
            "up": self.up,
            "reason": self.reason,
            "since": since,
            "failures": self.failures,
        }
        return {
            "backend": self.backend,
            "runs_on": self.name,
            "stand_in": self.stand_in,
            "accelerator": told if self.accelerator else None,
        }
