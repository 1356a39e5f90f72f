"""Opening and checking a model file beside the one that runs."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from corrosion_edge.bundle import read_file
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.device.events.event import ModelName
from corrosion_edge.errors import BackendAway, BundleError, CorrosionEdgeError, SignatureError

__all__ = ["Candidate", "Loading", "Refusal"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that may take over, on an interpreter of its own, and where its answers differ."""

    classifier: Classifier
    warnings: tuple[str, ...]
    file_sha256: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a file may not take over; ``whole`` is False where it may not be written to its end.

    ``away``: what keeps it from running is an accelerator that may come back.
    """

    reason: str
    whole: bool = True
    name: ModelName | None = None
    file_sha256: str = ""
    away: bool = False


@dataclass(frozen=True, slots=True)
class Loading:
    """How a watch gets its model, at the start and every time after.

    ``open`` opens the file and raises what speaks against it; ``check`` prepares and examines
    what was opened, and returns warnings or raises.
    """

    file: Path
    open: Callable[[], Classifier]
    check: Callable[[Classifier], Sequence[str]]

    def examined(self) -> Candidate | Refusal:
        """The file as it is now; whatever is wrong with it is a refusal, not an error."""
        digest = ""
        try:
            digest = hashlib.sha256(read_file(self.file)).hexdigest()
            classifier = self.open()
        except Exception as error:  # also what nobody foresaw must not end the watch
            whole = isinstance(error, SignatureError) or not isinstance(error, BundleError)
            return Refusal(_told(error), whole, None, digest, isinstance(error, BackendAway))
        try:
            return Candidate(classifier, tuple(self.check(classifier)), digest)
        except Exception as error:
            classifier.close()
            away = isinstance(error, BackendAway)
            return Refusal(_told(error), True, ModelName.of(classifier), digest, away)


def _told(error: Exception) -> str:
    if isinstance(error, BackendAway):
        return f"{error}; it is tried again when the accelerator is back"
    known = isinstance(error, CorrosionEdgeError)
    return str(error) if known else f"it failed with {type(error).__name__}: {error}"
