"""What differs between two model files."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from corrosion_edge.bundle import Bundle
from corrosion_edge.manifest import Golden
from corrosion_edge.modelfile.summary import Opened, network

__all__ = ["differences", "lines"]

_ELSEWHERE = ("model_sha256", "model_bytes", "golden", "files")  # said of network and members
_ABSENT = "absent"


def differences(one: Opened, two: Opened) -> dict[str, Any]:
    """Everything that differs: pairs of the first file's value and the second's; empty if equal.

    ``network`` has hash, bytes, tensors and counts of operators; ``manifest`` dotted fields;
    ``members`` their hashes; ``golden`` for each picture the largest step between the outputs,
    or None where they cannot be compared; ``signature`` the keys' ids.
    """
    found = {
        "network": _changed(_flat(network(one.bundle)), _flat(network(two.bundle))),
        "manifest": _changed(_fields(one.bundle), _fields(two.bundle)),
        "members": _changed(_members(one), _members(two)),
        "golden": _golden(one.bundle, two.bundle),
        "signature": _changed({"key": one.signed_by}, {"key": two.signed_by}),
    }
    if not any(found.values()) and one.content != two.content:
        found["file"] = {"bytes": [len(one.content), len(two.content)]}
    return {name: values for name, values in found.items() if values}


def lines(found: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The differences for people."""
    for part, values in found.items():
        yield part
        for name, value in values.items():
            yield f"  {name}: {_told(part, value)}"


def _told(part: str, value: Any) -> str:
    if part == "golden":
        return "not comparable" if value is None else f"up to {value} steps of 256"
    one, two = (_short(v) for v in value)
    return f"{one} -> {two}"


def _short(value: Any) -> str:
    text = _ABSENT if value is None else json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _changed(one: Mapping[str, Any], two: Mapping[str, Any]) -> dict[str, list[Any]]:
    names = [*one, *(name for name in two if name not in one)]
    pairs = {name: [one.get(name), two.get(name)] for name in names}
    return {name: pair for name, pair in pairs.items() if _text(pair[0]) != _text(pair[1])}


def _text(value: Any) -> str:
    """1, 1.0 and true are equal in Python, and differ in a file."""
    return json.dumps(value, sort_keys=True)


def _flat(values: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(values, dict) or (not values and prefix):
        return {prefix: values}
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= _flat(value, f"{prefix}.{name}" if prefix else name)
    return found


def _fields(bundle: Bundle) -> dict[str, Any]:
    fields = json.loads(bundle.manifest.to_json())
    return _flat({name: value for name, value in fields.items() if name not in _ELSEWHERE})


def _members(opened: Opened) -> dict[str, str]:
    return dict(opened.bundle.manifest.files)


def _golden(one: Bundle, two: Bundle) -> dict[str, int | None]:
    before = {golden.picture: golden for golden in one.manifest.golden}
    after = {golden.picture: golden for golden in two.manifest.golden}
    steps: dict[str, int | None] = {}
    for name in dict.fromkeys([*before, *after]):
        a, b = before.get(name), after.get(name)
        if a == b:
            continue
        steps[name] = _steps(a, b) if a and b else None
    return steps


def _steps(a: Golden, b: Golden) -> int | None:
    if a.prepared != b.prepared or len(a.map) != len(b.map):
        return None
    pairs = zip((*a.scores, *a.map), (*b.scores, *b.map), strict=True)
    return max(abs(x - y) for x, y in pairs)
