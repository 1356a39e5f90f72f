"""Whatever stands in a manifest, reading it ends in a manifest or in ValueError."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corrosion_edge.manifest import Golden, Manifest
from corrosion_edge.precision import PRECISIONS

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner,
                                                                max_size=4),
    max_leaves=20,
)  # fmt: skip


def manifest() -> Manifest:
    return Manifest(
        name="test", model_sha256="0" * 64, model_bytes=3, outputs={"scores": "scores"},
        files={"golden/0.png": "1" * 64}, golden=(Golden("golden/0.png", "2" * 64, (1, 255)),),
        provenance={"seed": 1},
    )  # fmt: skip


FIELDS = json.loads(manifest().to_json())


@settings(deadline=None)
@given(values)
def test_any_json(value):
    with pytest.raises(ValueError):
        Manifest.from_json(json.dumps(value))


@settings(deadline=None)
@given(st.sampled_from([*FIELDS, "confidence", "precision", "new"]), values)
def test_any_value_in_any_field(name, value):
    try:
        found = Manifest.from_json(json.dumps({**FIELDS, name: value}))
    except ValueError:
        return
    assert Manifest.from_json(found.to_json()) == found
    assert name in ("name", "threshold", "model_bytes", "provenance", "drift", "golden", "outputs",
                    "format", "files", "preprocessing", "labels")  # fmt: skip


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, 2000))
def test_any_damage_to_the_text(other, place):
    text = manifest().to_json().encode()
    try:
        found = Manifest.from_json(text[:place] + other + text[place + len(other) :])
    except ValueError:
        return
    assert Manifest.from_json(found.to_json()) == found


def test_int8_is_not_named_as_in_older_files_and_other_precisions_are():
    assert "precision" not in FIELDS
    for name in PRECISIONS:
        found = Manifest.from_json(json.dumps({**FIELDS, "precision": name}))
        assert found.precision == name
        assert ("precision" in json.loads(found.to_json())) is (name != "int8")
    with pytest.raises(ValueError, match="expected one of int8, float32"):
        Manifest.from_json(json.dumps({**FIELDS, "precision": "int4"}))
