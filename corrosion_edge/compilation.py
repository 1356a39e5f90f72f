"""That a model file's network was compiled for an accelerator, and from what."""

import re
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["EDGETPU", "Compilation"]

EDGETPU: Final = "edgetpu"
"""The accelerator that there is a compiler for: Google's Edge TPU, on Coral boards."""

_SHA256 = re.compile("[0-9a-f]{64}")
_LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Compilation:
    """What was compiled.

    ``source`` is the name of the model file it was compiled from, ``source_sha256`` of the
    flatbuffer in that. Golden outputs, drift and confidence of the manifest are those of that
    network on a CPU: a compiled one cannot be run without its accelerator. ``compiler`` is its
    version, empty where it was not told. ``mapped_ops`` run on the accelerator, ``cpu_ops`` do
    not. ValueError for fields that cannot be.
    """

    source: str
    source_sha256: str
    mapped_ops: int
    cpu_ops: int
    compiler: str = ""
    target: str = EDGETPU

    def __post_init__(self) -> None:
        if self.target != EDGETPU:
            raise ValueError(f"compiled.target: expected {EDGETPU!r}, got {self.target!r:.80}")
        for name in ("source", "compiler"):
            text = getattr(self, name)
            if not isinstance(text, str) or not text.isprintable() or len(text) > _LONGEST:
                raise ValueError(f"compiled.{name}: expected a short text, got {text!r:.80}")
        if not isinstance(self.source_sha256, str) or not _SHA256.fullmatch(self.source_sha256):
            raise ValueError(
                f"compiled.source_sha256: expected a SHA-256, got {self.source_sha256!r:.80}"
            )
        for name, least in (("mapped_ops", 1), ("cpu_ops", 0)):
            count = getattr(self, name)
            if type(count) is not int or count < least:
                raise ValueError(f"compiled.{name}: expected {least} or more, got {count!r:.80}")

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "Compilation":
        """Read what ``dataclasses.asdict`` gives (TypeError or ValueError for anything else)."""
        return cls(**fields)
