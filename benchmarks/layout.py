"""Dataclasses to JSON and back, and their JSON schema: all three follow from the fields' types.

So reader, writer and schema cannot differ. A field's type is a dataclass, ``int``, ``float``,
``str``, ``bool``, a ``Literal``, ``tuple[X, ...]``, a union of these, or one of them ``Annotated``
with ``Least``. A dataclass may say with ``__derived__`` which of its properties are written too:
they are checked, not read, when it comes back.
"""

import math
import types
from dataclasses import dataclass, fields, is_dataclass
from inspect import getdoc
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

__all__ = [
    "Count",
    "Least",
    "NotNegative",
    "Positive",
    "Unavailable",
    "Whole",
    "plain",
    "read",
    "schema",
]

T = TypeVar("T")

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
"""The version of JSON Schema that ``schema`` writes."""


@dataclass(frozen=True, slots=True)
class Least:
    """The smallest value of a number; ``above`` leaves the value itself out."""

    value: float
    above: bool = False

    def holds(self, number: float) -> bool:
        """Whether a number is finite, and not too small."""
        return math.isfinite(number) and (
            number > self.value or (number == self.value and not self.above)
        )

    def __str__(self) -> str:
        return f"above {self.value:g}" if self.above else f"{self.value:g} or more"


Count = Annotated[int, Least(1)]
Whole = Annotated[int, Least(0)]
NotNegative = Annotated[float, Least(0)]
Positive = Annotated[float, Least(0, above=True)]
Unavailable = Literal["unavailable"]
"""What stands for a fact that cannot be read."""

_PLAIN: Final[dict[Any, str]] = {int: "integer", float: "number", str: "string", bool: "boolean"}


def plain(value: Any) -> Any:
    """A dataclass as values of JSON, with what is derived from it."""
    if is_dataclass(value):
        names = [*(field.name for field in fields(value)), *_derived(type(value))]
        return {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def read(kind: type[T], content: Any, where: str = "") -> T:
    """A dataclass from values of JSON; ValueError names the place that is not as it has to be."""
    made: T = _read(kind, content, where)
    return made


def schema(kind: type, title: str) -> dict[str, Any]:
    """The JSON schema of a dataclass; every dataclass in it stands in ``$defs``."""
    found: dict[str, Any] = {}
    reference = _schema(kind, found)
    return {"$schema": DIALECT, "title": title, **reference, "$defs": dict(sorted(found.items()))}


def _read(kind: Any, content: Any, where: str) -> Any:
    if is_dataclass(kind):
        return _read_object(kind, content, where)
    origin, words = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _require(
            words[1].holds(_read(words[0], content, where)), content, str(words[1]), where
        )
    if origin is tuple:
        _require(isinstance(content, list), content, "a list", where)
        return tuple(_read(words[0], item, f"{where}[{n}]") for n, item in enumerate(content))
    if origin is Literal:
        return _require(
            content in words and type(content) is type(words[0]), content, _listed(words), where
        )
    if origin in (Union, types.UnionType):
        return _read_one_of(words, content, where)
    fits = type(content) is kind or (kind is float and type(content) is int)
    return _require(fits, content, f"a JSON {_PLAIN[kind]}", where)


def _read_object(kind: Any, content: Any, where: str) -> Any:
    _require(isinstance(content, dict), content, "an object", where)
    derived, hints = _derived(kind), get_type_hints(kind, include_extras=True)
    names = [field.name for field in fields(kind)]
    inside = f"{where}." if where else ""
    for name in (*names, *derived):
        _require(name in content, "nothing", "a value", f"{inside}{name}")
    if extra := sorted(content.keys() - {*names, *derived}):
        raise ValueError(f"{inside}{extra[0]}: there is no such field")
    try:
        made = kind(
            **{name: _read(hints[name], content[name], f"{inside}{name}") for name in names}
        )
    except TypeError as error:
        raise ValueError(f"{where}: {error}") from None
    for name, one in derived.items():
        if getattr(made, name) != _read(one, content[name], f"{inside}{name}"):
            raise ValueError(f"{inside}{name}: does not follow from the rest")
    return made


def _read_one_of(kinds: tuple[Any, ...], content: Any, where: str) -> Any:
    told = []
    for kind in kinds:
        try:
            return _read(kind, content, where)
        except ValueError as error:
            told.append(str(error))
    raise ValueError(told[0] if isinstance(content, dict | list) else "; or ".join(told))


def _require(holds: bool, got: Any, expected: str, where: str) -> Any:
    if not holds:
        shown = got if isinstance(got, str) else repr(got)
        raise ValueError(f"{where or 'report'}: expected {expected}, got {shown[:80]}")
    return got


def _schema(kind: Any, found: dict[str, Any]) -> dict[str, Any]:
    if is_dataclass(kind):
        return _defined(kind, found)
    origin, words = get_origin(kind), get_args(kind)
    if origin is Annotated:
        bound = "exclusiveMinimum" if words[1].above else "minimum"
        return {**_schema(words[0], found), bound: words[1].value}
    if origin is tuple:
        return {"type": "array", "items": _schema(words[0], found)}
    if origin is Literal:
        return {"enum": list(words)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(word, found) for word in words]}
    return {"type": _PLAIN[kind]}


def _defined(kind: Any, found: dict[str, Any]) -> dict[str, Any]:
    name = kind.__name__
    if name not in found:
        found[name] = {}  # a type that holds itself ends here
        found[name].update(_object(kind, found))
    return {"$ref": f"#/$defs/{name}"}


def _object(kind: Any, found: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    kinds = {field.name: hints[field.name] for field in fields(kind)} | _derived(kind)
    return {
        "type": "object",
        "description": (getdoc(kind) or "").replace("``", "`"),
        "properties": {name: _schema(one, found) for name, one in kinds.items()},
        "required": list(kinds),
        "additionalProperties": False,
    }


def _derived(kind: Any) -> dict[str, Any]:
    """Name and type of what is written beside the fields."""
    return dict(getattr(kind, "__derived__", {}))


def _listed(words: tuple[Any, ...]) -> str:
    return " or ".join(map(str, words))
