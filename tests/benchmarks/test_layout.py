"""Dataclasses to JSON and back, by types alone."""

import json
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corrosion_edge.benchmarks.layout import (
    Count,
    NotNegative,
    Positive,
    Unavailable,
    plain,
    read,
    schema,
)


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    size: Count | Unavailable
    kind: Literal["a", "b"] = "a"


@dataclass(frozen=True, slots=True)
class Whole:
    __derived__: ClassVar[dict[str, Any]] = {"total": int}

    parts: tuple[Part, ...]
    share: NotNegative
    good: bool

    @property
    def total(self) -> int:
        return len(self.parts)


PARTS = st.builds(
    Part, st.text(), st.integers(1, 10**12) | st.just("unavailable"), st.sampled_from(["a", "b"])
)
WHOLES = st.builds(
    Whole, st.lists(PARTS, max_size=4).map(tuple), st.floats(0, 1e300), st.booleans()
)


@given(WHOLES)
def test_what_is_written_is_read_back(whole):
    assert read(Whole, json.loads(json.dumps(plain(whole)))) == whole


GOOD = plain(Whole((Part("x", 3),), 0.5, True))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parts": {}}, "parts: expected a list, got {}"),
        ({"parts": ["x"]}, r"parts\[0\]: expected an object, got x"),
        ({"parts": [{"name": "x", "size": 0, "kind": "a"}]}, r"parts\[0\]\.size: expected 1 or"),
        ({"parts": [{"name": "x", "size": "?", "kind": "a"}]}, r"size: .* or unavailable|size: "),
        ({"parts": [{"name": "x", "size": 1, "kind": "c"}]}, r"kind: expected a or b, got c"),
        ({"parts": [{"name": "x", "size": 1}]}, r"parts\[0\]\.kind: expected a value, got nothing"),
        ({"share": -0.5}, "share: expected 0 or more, got -0.5"),
        ({"share": float("nan")}, "share: expected 0 or more, got nan"),
        ({"share": True}, "share: expected a JSON number, got True"),
        ({"good": 1}, "good: expected a JSON boolean, got 1"),
        ({"total": 2}, "total: does not follow from the rest"),
        ({"total": "1"}, "total: expected a JSON integer"),
        ({"more": 1}, "more: there is no such field"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(change, message):
    with pytest.raises(ValueError, match=message):
        read(Whole, {**GOOD, **change})


def test_the_schema_says_the_same():
    found = schema(Whole, "a title")
    assert found["title"] == "a title"
    assert found["$ref"] == "#/$defs/Whole"
    whole, part = found["$defs"]["Whole"], found["$defs"]["Part"]
    assert whole["required"] == ["parts", "share", "good", "total"]
    assert whole["additionalProperties"] is False
    assert whole["properties"]["parts"] == {"type": "array", "items": {"$ref": "#/$defs/Part"}}
    assert whole["properties"]["share"] == {"type": "number", "minimum": 0}
    assert part["properties"]["size"]["anyOf"] == [
        {"type": "integer", "minimum": 1},
        {"enum": ["unavailable"]},
    ]


def test_a_bound_may_be_left_out_itself():
    @dataclass(frozen=True)
    class One:
        value: Positive

    assert schema(One, "t")["$defs"]["One"]["properties"]["value"] == {
        "type": "number", "exclusiveMinimum": 0
    }  # fmt: skip
    with pytest.raises(ValueError, match="value: expected above 0, got 0"):
        read(One, {"value": 0})
