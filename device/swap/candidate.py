"""Opening and checking a model file beside the one that runs."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from corrosion_edge.bundle import read_file
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.device.events.event import ModelName
from corrosion_edge.errors import BackendAway, BundleError, CorrosionEdgeError, SignatureError

__all__ = ["Candidate", "Loading", "Refusal"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that may take over, on an interpreter of its own, and where its answers differ.

    ``content`` is that of its file.
    """

    classifier: Classifier
    warnings: tuple[str, ...]
    content: bytes = field(repr=False)

    @property
    def file_sha256(self) -> str:
        """The content's SHA-256 in hex."""
        return _sha256(self.content)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a file may not take over; ``whole`` is False where it may not be written to its end.

    ``away``: what keeps it from running is an accelerator that may come back. ``error`` is what
    was raised.
    """

    reason: str
    whole: bool = True
    name: ModelName | None = None
    file_sha256: str = ""
    away: bool = False
    error: Exception | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Loading:
    """How a watch gets its model, at the start and every time after.

    ``open`` opens what was read of the file and raises what speaks against it; ``check`` prepares
    and examines what was opened, and returns warnings or raises.
    """

    file: Path
    open: Callable[[bytes], Classifier]
    check: Callable[[Classifier], Sequence[str]]

    def examined(self, content: bytes | None = None) -> Candidate | Refusal:
        """The file as it is now, or that ``content`` in its place.

        Whatever is wrong with it is a refusal, not an error.
        """
        digest = ""
        try:
            content = read_file(self.file) if content is None else content
            digest = _sha256(content)
            classifier = self.open(content)
        except Exception as error:  # also what nobody foresaw must not end the watch
            whole = isinstance(error, SignatureError) or not isinstance(error, BundleError)
            return Refusal(_told(error), whole, None, digest, _away(error), error)
        try:
            return Candidate(classifier, tuple(self.check(classifier)), content)
        except Exception as error:
            classifier.close()
            name = ModelName.of(classifier)
            return Refusal(_told(error), True, name, digest, _away(error), error)
        except BaseException:
            classifier.close()
            raise


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _away(error: Exception) -> bool:
    return isinstance(error, BackendAway)


def _told(error: Exception) -> str:
    if isinstance(error, BackendAway):
        return f"{error}; it is tried again when the accelerator is back"
    known = isinstance(error, CorrosionEdgeError)
    return str(error) if known else f"it failed with {type(error).__name__}: {error}"
