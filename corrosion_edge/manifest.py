"""What a model file says of itself: the manifest inside a bundle."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from corrosion_edge.confidence import Confidence
from corrosion_edge.image import Preprocessing
from corrosion_edge.prediction import LABELS

__all__ = ["FORMAT", "Golden", "Manifest"]

FORMAT: Final = 1
"""Version of the manifest's layout; a reader refuses a newer one."""

_SHA256_DIGITS = 64


@dataclass(frozen=True, slots=True)
class Golden:
    """A picture in the bundle with what preprocessing and network must make of it.

    ``prepared`` is the SHA-256 of the prepared pixels; ``scores`` are the raw integers of the
    network's ``scores`` output in the order of the labels, and ``map`` those of its ``map``
    output in row order (empty for a model without one).
    """

    picture: str
    prepared: str
    scores: tuple[int, ...]
    map: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _require_sha256("golden.prepared", self.prepared)
        if len(self.scores) != len(LABELS):
            raise ValueError(f"golden.scores: expected {len(LABELS)} integers, got {self.scores}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """The contract between whoever made a model file and the device that runs it.

    ``model_sha256`` and ``model_bytes`` belong to the flatbuffer alone. ``files`` maps every
    other member of the bundle to its SHA-256. ``threshold`` is in [0, 1]. ``outputs`` maps
    ``scores`` (and ``map``) to the names of the flatbuffer's output tensors. ``provenance``
    says how the model was trained and converted, ``drift`` what the conversion changed.
    ``confidence`` says what its scores are worth; None in files made before there was one.
    """

    name: str
    model_sha256: str
    model_bytes: int
    outputs: Mapping[str, str]
    threshold: float = 0.5
    labels: tuple[str, ...] = LABELS
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    golden: tuple[Golden, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    drift: Mapping[str, Any] = field(default_factory=dict)
    confidence: Confidence | None = None
    format: int = FORMAT

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise ValueError(f"format: this version reads {FORMAT}, got {self.format!r}")
        if tuple(self.labels) != LABELS:
            raise ValueError(f"labels: expected {LABELS}, got {self.labels}")
        if not isinstance(self.threshold, int | float) or not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold: expected a number in [0, 1], got {self.threshold!r}")
        if not isinstance(self.model_bytes, int) or self.model_bytes < 1:
            raise ValueError(f"model_bytes: expected 1 or more, got {self.model_bytes!r}")
        if not isinstance(self.outputs, Mapping) or "scores" not in self.outputs:
            raise ValueError("outputs: expected at least 'scores'")
        for name, value in {"model_sha256": self.model_sha256, **self.files}.items():
            _require_sha256(name, value)

    def to_json(self) -> str:
        """The manifest as JSON text."""
        fields = asdict(self)
        if self.confidence is None:
            del fields["confidence"]
        return json.dumps(fields, indent=1, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Manifest":
        """Read a manifest back; ValueError says which field is wrong."""
        try:
            fields = json.loads(text)
            return cls._from_fields(dict(fields))
        except (TypeError, AttributeError, KeyError, RecursionError) as error:
            raise ValueError(f"manifest: {error}") from None

    @classmethod
    def _from_fields(cls, fields: dict[str, Any]) -> "Manifest":
        if fields.get("format") != FORMAT:
            raise ValueError(f"format: this version reads {FORMAT}, got {fields.get('format')!r}")
        fields["labels"] = tuple(fields["labels"])
        fields["preprocessing"] = Preprocessing.from_dict(fields["preprocessing"])
        fields["golden"] = tuple(
            Golden(g["picture"], g["prepared"], tuple(g["scores"]), tuple(g["map"]))
            for g in fields["golden"]
        )
        if "confidence" in fields:
            fields["confidence"] = Confidence.from_dict(fields["confidence"])
        return cls(**fields)


def _require_sha256(name: str, value: str) -> None:
    if not isinstance(value, str) or len(value) != _SHA256_DIGITS:
        raise ValueError(f"{name}: expected a SHA-256 in hexadecimal, got {value!r}")
