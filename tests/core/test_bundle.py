import dataclasses
import io
import json
import os
import subprocess
import sys
import zipfile
from typing import Any

import pytest

from corrosion_edge.bundle import DEFAULT_MODEL, MANIFEST_NAME, Bundle
from corrosion_edge.confidence import Confidence
from corrosion_edge.errors import BundleError
from corrosion_edge.image import digest, prepare, read
from corrosion_edge.manifest import FORMAT, MAX_MANIFEST, Golden, Manifest
from corrosion_edge.modelfile.container import Container

NETWORK = b"\x1c\0\0\0TFL3" + bytes(range(200))


def _bundle(model: bytes = NETWORK, **fields: Any) -> Bundle:
    golden = Golden("golden/0.png", "0" * 64, (10, 246), (1, 2, 3))
    return Bundle.seal(
        model,
        {"golden/0.png": b"picture"},
        **({"name": "test", "outputs": {"scores": "scores"}, "golden": (golden,)} | fields),
    )


def test_round_trip(tmp_path):
    bundle = _bundle(threshold=0.37, provenance={"seed": 1, "who": "ä"}, drift={"n": 2})
    bundle.save(tmp_path / "m.tflite")
    assert Bundle.load(tmp_path / "m.tflite") == bundle


CONFIDENCE = Confidence(
    temperature=1.3, ece_before=0.05, ece_after=0.02, n=364, corroded=198, on="validation",
    recall_target=0.98, recall_threshold=0.21, alpha=0.02, unsure=(0.21, 0.66),
)  # fmt: skip


@pytest.mark.parametrize(
    "confidence", [CONFIDENCE, dataclasses.replace(CONFIDENCE, unsure=None), None]
)
def test_confidence_travels(confidence):
    manifest = Bundle.from_bytes(_bundle(confidence=confidence).to_bytes()).manifest
    assert manifest.confidence == confidence


def test_a_file_made_before_there_was_confidence_is_read_and_written_alike():
    old = _bundle().manifest.to_json()
    assert "confidence" not in old
    assert Manifest.from_json(old).to_json() == old
    assert Bundle.load(DEFAULT_MODEL).manifest.format == FORMAT


def test_equal_content_gives_equal_bytes():
    assert _bundle().to_bytes() == _bundle().to_bytes()


def test_the_file_starts_with_the_network_and_ends_with_an_archive(tmp_path):
    content = _bundle().to_bytes()
    assert content.startswith(NETWORK)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == {MANIFEST_NAME, "labels.txt", "golden/0.png"}
        assert archive.read("labels.txt") == b"no-corrosion\ncorrosion\n"


def test_truncated_at_any_byte_it_is_refused():
    content = _bundle().to_bytes()
    for length in range(len(content)):
        with pytest.raises(BundleError):
            Bundle.from_bytes(content[:length])


def test_any_changed_byte_is_refused():
    content = _bundle().to_bytes()
    for place in range(len(content)):
        for flip in (0x01, 0x80, 0xFF):
            changed = bytearray(content)
            changed[place] ^= flip
            with pytest.raises(BundleError):
                Bundle.from_bytes(bytes(changed))


def test_another_models_manifest_is_refused():
    other = _bundle(NETWORK[:-1] + b"!").to_bytes()
    swapped = NETWORK + other[len(NETWORK) :]
    with pytest.raises(BundleError, match="another model's manifest"):
        Bundle.from_bytes(swapped)


def test_a_plain_flatbuffer_has_no_manifest():
    with pytest.raises(BundleError, match="without a manifest"):
        Bundle.from_bytes(NETWORK)


def test_something_else_is_no_model(tmp_path):
    (tmp_path / "x.tflite").write_bytes(b"PK\x03\x04 not a model at all")
    with pytest.raises(BundleError, match=r"x\.tflite: not a TFLite model"):
        Bundle.load(tmp_path / "x.tflite")
    with pytest.raises(BundleError, match="no such model file"):
        Bundle.load(tmp_path / "missing.tflite")
    with pytest.raises(BundleError, match="cannot be read"):
        Bundle.load(tmp_path)


def _with_members(members: dict[str, bytes]) -> bytes:
    manifest = members.get(MANIFEST_NAME)
    rest = sorted((name, content) for name, content in members.items() if name != MANIFEST_NAME)
    if manifest is not None:
        rest.append((MANIFEST_NAME, manifest))
    return Container(NETWORK, tuple(rest)).to_bytes()


def test_a_compressed_member_is_refused():
    stream = io.BytesIO(NETWORK)
    stream.seek(0, io.SEEK_END)
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST_NAME, b"0" * 10_000_000)
    with pytest.raises(BundleError, match="compressed"):
        Bundle.from_bytes(stream.getvalue())


def test_an_archive_without_our_manifest():
    with pytest.raises(BundleError, match="no manifest of this program"):
        Bundle.from_bytes(_with_members({"labels.txt": b"cat\ndog\n"}))


def _fields(**changes: Any) -> dict[str, Any]:
    return json.loads(_bundle().manifest.to_json()) | changes


@pytest.mark.parametrize(
    "changes",
    [
        {"format": FORMAT + 1},
        {"format": None},
        {"threshold": 1.5},
        {"threshold": "high"},
        {"labels": ["rust", "fine"]},
        {"labels": None},
        {"model_bytes": -1},
        {"model_bytes": "all"},
        {"outputs": {}},
        {"outputs": None},
        {"files": {"x": "short"}},
        {"files": None},
        {"preprocessing": {"width": -3}},
        {"preprocessing": None},
        {"golden": [{"picture": "x"}]},
        {"golden": 3},
        {"surprise": 1},
        {"confidence": {}},
        {"confidence": 3},
        {"confidence": CONFIDENCE.to_dict() | {"unsure": [0.9, 0.1]}},
        {"model_sha256": 5},
        {"model_sha256": "G" * 64},
        {"model_bytes": True},
        {"format": True},
        {"threshold": True},
        {"threshold": 10**400},
        {"name": ""},
        {"name": "a\nb"},
        {"name": "\x1b[2J"},
        {"name": "\ud800"},
        {"name": "x" * 201},
        {"name": 3},
        {"outputs": {"scores": 3}},
        {"outputs": ["scores"]},
        {"files": [["x", "y"]]},
        {"provenance": []},
        {"provenance": {"\ud800": 1}},
        {"drift": None},
        {
            "golden": [
                {"picture": "golden/0.png", "prepared": "0" * 64, "scores": [1, 2.5], "map": []}
            ]
        },
        {
            "golden": [
                {"picture": "golden/0.png", "prepared": "0" * 64, "scores": [1, 2**31], "map": []}
            ]
        },
        {"golden": [{"picture": "other.png", "prepared": "0" * 64, "scores": [1, 2], "map": []}]},
        {"golden": [{"picture": ["x"], "prepared": "0" * 64, "scores": [1, 2], "map": []}]},
        {"preprocessing": {"width": True}},
    ],
)
def test_a_manifest_with_a_wrong_field_is_refused(changes):
    with pytest.raises(BundleError, match="manifest is not valid"):
        Bundle.from_bytes(_with_members({MANIFEST_NAME: json.dumps(_fields(**changes)).encode()}))


@pytest.mark.parametrize("text", [b"", b"[]", b"3", b"null", b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_manifest_that_is_no_object_is_refused(text):
    with pytest.raises(BundleError, match="manifest is not valid"):
        Bundle.from_bytes(_with_members({MANIFEST_NAME: text}))


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace(b'"seed": 1', b'"seed": NaN'),
        lambda text: text.replace(b'"seed": 1', b'"seed": 1e999'),
        lambda text: text.replace(b'"seed": 1', b'"seed": -Infinity'),
        lambda text: text.replace(b'"seed": 1', b'"seed": 1, "seed": 2'),
        lambda text: text.replace(b'"name": "test"', b'"name": "test", "name": "best"'),
        lambda text: text.replace(b'"seed": 1', b'"seed": ' + b"[" * 40 + b"]" * 40),
        lambda text: text.replace(b'"seed": 1', b'"seed": ' + b"1" * 5000),
        lambda text: text + b" " * MAX_MANIFEST,
    ],
)
def test_a_manifest_that_others_would_read_otherwise_is_refused(damage):
    text = _bundle(provenance={"seed": 1}).manifest.to_json().encode()
    members = {**_bundle().files, MANIFEST_NAME: text}
    assert Bundle.from_bytes(_with_members(members)).manifest.provenance == {"seed": 1}
    with pytest.raises(BundleError, match="manifest is not valid"):
        Bundle.from_bytes(_with_members({**members, MANIFEST_NAME: damage(text)}))


def test_a_member_that_the_manifest_does_not_name_is_refused():
    whole = _bundle()
    members = {MANIFEST_NAME: whole.manifest.to_json().encode(), **whole.files}
    Bundle.from_bytes(_with_members(members))
    with pytest.raises(BundleError, match="does not name"):
        Bundle.from_bytes(_with_members({**members, "extra.txt": b""}))


def test_what_a_file_says_of_itself_does_not_fill_the_screen():
    text = json.dumps(_fields(golden="x" * 1_000_000)).encode()
    with pytest.raises(BundleError) as caught:
        Bundle.from_bytes(_with_members({MANIFEST_NAME: text}))
    assert len(str(caught.value)) < 600


def test_a_missing_and_an_altered_member_are_named():
    whole = _bundle()
    members = {MANIFEST_NAME: whole.manifest.to_json().encode(), **whole.files}
    with pytest.raises(BundleError, match=r"'golden/0.png' was altered"):
        Bundle.from_bytes(_with_members({**members, "golden/0.png": b"other"}))
    del members["labels.txt"]
    with pytest.raises(BundleError, match=r"'labels.txt' is missing"):
        Bundle.from_bytes(_with_members(members))


def test_fields_can_be_changed_after_sealing():
    bundle = _bundle().with_fields(threshold=0.25)
    assert Bundle.from_bytes(bundle.to_bytes()).manifest.threshold == 0.25


def test_manifest_is_immutable():
    with pytest.raises(dataclasses.FrozenInstanceError):
        _bundle().manifest.name = "x"
    assert isinstance(_bundle().manifest, Manifest)


def test_any_runtime_runs_the_file_as_it_is(tiny_model):
    """The whole file, manifest and all, goes to a plain interpreter in a process of its own."""
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")
    code = (
        "import sys, json; from ai_edge_litert.interpreter import Interpreter as I\n"
        "i = I(model_path=sys.argv[1]); i.allocate_tensors()\n"
        "print(json.dumps([[d['name'], d['shape'].tolist(), d['dtype'].__name__]"
        " for d in (*i.get_input_details(), *i.get_output_details())]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, os.fspath(tiny_model)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(run.stdout) == [
        ["image", [1, 64, 64, 3], "uint8"],
        ["scores", [1, 2], "uint8"],
        ["map", [1, 2, 2, 1], "uint8"],
    ]


def test_golden_pictures_prepare_to_their_digest(tiny_model):
    bundle = Bundle.load(tiny_model)
    assert bundle.manifest.golden
    for golden in bundle.manifest.golden:
        pixels = read(io.BytesIO(bundle.files[golden.picture]), golden.picture)
        assert digest(prepare(pixels, bundle.manifest.preprocessing)) == golden.prepared
