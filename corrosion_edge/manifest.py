"""What a model file says of itself: the manifest inside a bundle."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any, Final

from corrosion_edge.compilation import Compilation
from corrosion_edge.confidence import Confidence
from corrosion_edge.image import Preprocessing
from corrosion_edge.precision import INT8, require_precision
from corrosion_edge.prediction import LABELS

__all__ = ["FORMAT", "MAX_MANIFEST", "Golden", "Manifest"]

FORMAT: Final = 1
"""Version of the manifest's layout; a reader refuses a newer one."""

MAX_MANIFEST: Final = 4 * 2**20
"""Largest manifest that is read, in bytes."""

_SHA256 = re.compile("[0-9a-f]{64}")
_DEEPEST, _MOST_GOLDEN, _LONGEST_NAME = 32, 64, 200


@dataclass(frozen=True, slots=True)
class Golden:
    """A picture in the bundle with what preprocessing and network must make of it.

    ``prepared`` is the SHA-256 of the prepared pixels; ``scores`` are the raw integers of the
    network's ``scores`` output in the order of the labels, and ``map`` those of its ``map``
    output in row order (empty for a model without one). Of an output of real numbers they are
    its values in steps of 1/256, rounded.
    """

    picture: str
    prepared: str
    scores: tuple[int, ...]
    map: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _require_sha256("golden.prepared", self.prepared)
        _require_text("golden.picture", self.picture)
        if len(self.scores) != len(LABELS):
            raise ValueError(f"golden.scores: expected {len(LABELS)} integers, got {self.scores}")
        if any(type(n) is not int or abs(n) >= 2**31 for n in (*self.scores, *self.map)):
            raise ValueError("golden: expected scores and map of integers of 32 bits")


@dataclass(frozen=True, slots=True)
class Manifest:
    """The contract between whoever made a model file and the device that runs it.

    ``model_sha256`` and ``model_bytes`` belong to the flatbuffer alone. ``files`` maps every
    other member of the bundle to its SHA-256. ``threshold`` is in [0, 1]. ``outputs`` maps
    ``scores`` (and ``map``) to the names of the flatbuffer's output tensors. ``provenance``
    says how the model was trained and converted, ``drift`` what the conversion changed.
    ``confidence`` says what its scores are worth; None in files made before there was one.
    ``compiled`` is None unless the network was compiled for an accelerator.
    ``precision`` is one of ``PRECISIONS``: of all but int8, which need not be named in a file, the
    outputs are float32.
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
    compiled: Compilation | None = None
    precision: str = INT8
    format: int = FORMAT

    def __post_init__(self) -> None:
        if type(self.format) is not int or self.format != FORMAT:
            raise ValueError(f"format: this version reads {FORMAT}, got {self.format!r:.80}")
        _require_text("name", self.name)
        require_precision(self.precision)
        if tuple(self.labels) != LABELS:
            raise ValueError(f"labels: expected {LABELS}, got {self.labels!r:.80}")
        if not _is_number(self.threshold) or not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold: expected a number in [0, 1], got {self.threshold!r:.80}")
        if type(self.model_bytes) is not int or self.model_bytes < 1:
            raise ValueError(f"model_bytes: expected 1 or more, got {self.model_bytes!r:.80}")
        _require_maps(self)
        for name, value in {"model_sha256": self.model_sha256, **self.files}.items():
            _require_sha256(name, value)
        _require_golden(self)

    def to_json(self) -> str:
        """The manifest as JSON text."""
        fields = asdict(self)
        for name in ("confidence", "compiled"):
            if fields[name] is None:
                del fields[name]
        if self.precision == INT8:
            del fields["precision"]  # as in files made before there were others
        return json.dumps(fields, indent=1, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Manifest":
        """Read a manifest back; ValueError says which field is wrong.

        Names that stand twice, NaN, infinity, and nesting deeper than 32 are refused: other
        programs read those differently, or not at all.
        """
        if len(text) > MAX_MANIFEST:
            raise ValueError(f"manifest: expected up to {MAX_MANIFEST} bytes, got {len(text)}")
        try:
            fields = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
            _require_plain(fields)
            return cls._from_fields(dict(fields))
        except (TypeError, AttributeError, KeyError, RecursionError) as error:
            raise ValueError(f"manifest: {error}") from None

    @classmethod
    def _from_fields(cls, fields: dict[str, Any]) -> "Manifest":
        if fields.get("format") != FORMAT:
            got = fields.get("format")
            raise ValueError(f"format: this version reads {FORMAT}, got {got!r:.80}")
        fields["labels"] = tuple(fields["labels"])
        fields["preprocessing"] = Preprocessing.from_dict(fields["preprocessing"])
        fields["golden"] = tuple(
            Golden(g["picture"], g["prepared"], tuple(g["scores"]), tuple(g["map"]))
            for g in fields["golden"]
        )
        if "confidence" in fields:
            fields["confidence"] = Confidence.from_dict(fields["confidence"])
        if "compiled" in fields:
            fields["compiled"] = Compilation.from_dict(fields["compiled"])
        return cls(**fields)


def _require_sha256(name: str, value: Any) -> None:
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise ValueError(f"{name!s:.80}: expected a SHA-256 in hexadecimal, got {value!r:.80}")


def _require_text(name: str, value: Any) -> None:
    """A name is shown in terminals and pages: no line ends, no control characters."""
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= _LONGEST_NAME:
        raise ValueError(f"{name}: expected up to {_LONGEST_NAME} characters, got {value!r:.80}")


def _require_maps(manifest: Manifest) -> None:
    for name in ("outputs", "files", "provenance", "drift"):
        if not isinstance(getattr(manifest, name), Mapping):
            raise ValueError(f"{name}: expected fields, got {getattr(manifest, name)!r:.80}")
    if "scores" not in manifest.outputs:
        raise ValueError("outputs: expected at least 'scores'")
    for name, tensor in manifest.outputs.items():
        _require_text("outputs", name)
        _require_text("outputs", tensor)


def _require_golden(manifest: Manifest) -> None:
    if len(manifest.golden) > _MOST_GOLDEN:
        raise ValueError(f"golden: expected up to {_MOST_GOLDEN}, got {len(manifest.golden)}")
    for golden in manifest.golden:
        if golden.picture not in manifest.files:
            raise ValueError(f"golden: the file {golden.picture!r:.80} is not in the model file")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("manifest: a name stands there twice")
    return found


def _no_constant(text: str) -> Any:
    raise ValueError(f"manifest: {text} is no number")


def _require_plain(value: Any) -> None:
    """No infinity, no text that is no Unicode, no nesting that later code cannot walk."""
    level, rest = 0, [value]
    while rest:
        level += 1
        if level > _DEEPEST:
            raise ValueError(f"manifest: nested deeper than {_DEEPEST}")
        texts = [*rest, *(key for item in rest if isinstance(item, dict) for key in item)]
        for item in texts:
            if isinstance(item, float) and not isfinite(item):
                raise ValueError("manifest: a number is infinite")
            if isinstance(item, str):
                item.encode()
        rest = [
            inner
            for item in rest
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
