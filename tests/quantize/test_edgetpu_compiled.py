"""A compiled network in a model file: made, told, and refused where it cannot run."""

import dataclasses
import json

import numpy as np
import pytest
from click.testing import CliRunner
from edgetpu_fake import compiled
from edgetpu_models import Net, chain
from PIL import Image

from corrosion_edge.bundle import DEFAULT_MODEL, Bundle
from corrosion_edge.cli import cli
from corrosion_edge.compilation import Compilation
from corrosion_edge.device.backends import open_backend
from corrosion_edge.errors import BackendError, BundleError
from corrosion_edge.manifest import Manifest
from corrosion_edge.modelfile.compiled import wrap
from corrosion_edge.network.compiled import left_on_cpu, same_ends
from corrosion_edge.network.graph import read
from corrosion_edge.quantize import flatbuffer

MODEL = chain("RELU", "SPACE_TO_DEPTH", "ABS", "RELU")


def _run(*words, code=0):
    ran = CliRunner().invoke(cli, [*map(str, words)])
    assert ran.exit_code == code, ran.output
    if code:
        assert len(ran.stderr.splitlines()) == 1, ran.stderr
    return ran


@pytest.fixture(scope="module")
def default():
    return Bundle.load(DEFAULT_MODEL)


@pytest.fixture
def files(tmp_path, default):
    """The default model, and what a compiler made of its network."""
    (tmp_path / "m.tflite").write_bytes(DEFAULT_MODEL.read_bytes())
    (tmp_path / "m_edgetpu.tflite").write_bytes(compiled(default.model))
    return tmp_path / "m.tflite", tmp_path / "m_edgetpu.tflite"


@pytest.mark.parametrize("left", [(), (0,), (3,), (2, 3), (0, 2, 3)])
def test_the_ops_that_were_left_are_found(left):
    assert left_on_cpu(read(MODEL), read(compiled(MODEL, left))) == left


def test_without_names_the_first_that_fits_is_meant():
    def nameless(model):
        net = flatbuffer.unpack(model)
        for tensor in net.subgraphs[0].tensors:
            tensor.name = b""
        return read(flatbuffer.pack(net))

    assert left_on_cpu(nameless(MODEL), nameless(compiled(MODEL, (2, 3)))) == (2, 3)
    assert left_on_cpu(nameless(MODEL), nameless(compiled(MODEL, (3,)))) == (0,)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (MODEL, "nothing in it is compiled"),
        (compiled(chain("RELU", "TANH"), (1,)), r"operator 1 \(TANH\) is not there"),
    ],
)
def test_what_was_not_compiled_from_it_is_refused(other, said):
    with pytest.raises(BundleError, match=said):
        left_on_cpu(read(MODEL), read(other))


def _ends(names=("a", "b"), scale=0.1, shape=(1, 4), outputs=2):
    net = Net()
    data = net.tensor((1, 8))
    made = [net.tensor(shape) for _ in names]
    net.op("SPLIT", [net.numbers(1), data], made)
    for place, name in zip(made, names, strict=True):
        net.graph.tensors[place].name = name.encode()
        net.graph.tensors[place].quantization.scale = np.array([scale], np.float32)
    return read(net.pack([data], made[:outputs]))


def test_ends_go_by_their_names_or_else_by_their_order():
    assert same_ends(_ends(), _ends(("b", "a"))) == {"t0": "t0", "a": "a", "b": "b"}
    assert same_ends(_ends(), _ends(("x", "y"))) == {"t0": "t0", "a": "x", "b": "y"}


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"scale": 0.2}, "scale"),
        ({"shape": (1, 2, 2)}, "expected INT8"),
        ({"outputs": 1}, "1 outputs, expected 2"),
    ],
)
def test_other_ends_are_another_network(other, said):
    with pytest.raises(BundleError, match=f"another network: .*{said}"):
        same_ends(_ends(), _ends(**other))


def test_a_model_file_around_it_keeps_all_but_the_network(default, tmp_path):
    made = wrap(default, compiled(default.model, [270]), "m.tflite", "16.0.384591198")
    made.save(tmp_path / "m_edgetpu.tflite")
    manifest = Bundle.load(tmp_path / "m_edgetpu.tflite").manifest
    ops = len(read(default.model).ops)
    assert manifest.compiled == Compilation(
        source="m.tflite",
        source_sha256=default.manifest.model_sha256,
        mapped_ops=ops - 1,
        cpu_ops=1,
        compiler="16.0.384591198",
    )
    kept = [f.name for f in dataclasses.fields(manifest)
            if f.name not in ("model_sha256", "model_bytes", "compiled")]  # fmt: skip
    assert [getattr(manifest, n) for n in kept] == [getattr(default.manifest, n) for n in kept]


def test_a_manifest_without_a_compilation_reads_as_before(default):
    text = default.manifest.to_json()
    assert "compiled" not in json.loads(text)
    assert Manifest.from_json(text).compiled is None


@pytest.mark.parametrize(
    "change",
    [
        {"target": "npu"},
        {"source": "a\nb"},
        {"source_sha256": "abc"},
        {"mapped_ops": 0},
        {"cpu_ops": -1},
        {"cpu_ops": True},
        {"compiler": 16},
        {"more": 1},
    ],
)
def test_a_compilation_that_cannot_be_is_refused(default, change):
    made = wrap(default, compiled(default.model), "m.tflite")
    fields = json.loads(made.manifest.to_json())
    assert Manifest.from_json(json.dumps(fields)) is not None
    fields["compiled"] |= change
    with pytest.raises(ValueError, match=next(iter(change))):
        Manifest.from_json(json.dumps(fields))


def test_a_network_for_the_edge_tpu_is_refused_on_a_cpu(default):
    """By what the network holds, whatever its manifest says."""
    made = wrap(default, compiled(default.model), "m.tflite")
    for bundle, file in ((made, "m.tflite, the"), (made.with_fields(compiled=None), "the")):
        with pytest.raises(BackendError, match=rf"delegate .*; use {file} model file that it was"):
            open_backend(bundle)


def test_every_command_that_would_run_it_names_file_and_way_out(files):
    model, network = files
    Image.new("RGB", (32, 32)).save(model.with_name("photo.png"))
    _run("bundle", "compiled", model, network)
    for words in (
        ["classify", model.with_name("photo.png"), "--model"],
        ["watch", "--camera", "demo", "--model"],
    ):
        said = _run(*words, network, "--accelerator", "cpu", code=1).stderr
        assert said.startswith(f"Error: {network}: the network is compiled for the Edge TPU")
        assert "use m.tflite, the model file that it was compiled from" in said
        said = _run(*words, network, "--delegate", "libnone.so", code=1).stderr
        assert said.startswith(f"Error: {network}: libnone.so cannot be loaded")
        assert said.endswith("; without an Edge TPU use m.tflite\n")


def test_a_bare_compiled_file_is_told_from_a_damaged_one(files):
    model, network = files
    said = _run("watch", "--camera", "demo", "--model", network, code=1).stderr
    assert "becomes a model file by 'corrosion-edge bundle compiled'" in said
    cut = model.parent / "cut.tflite"
    cut.write_bytes(model.read_bytes()[:-100])
    assert "bundle compiled" not in _run("bundle", "show", cut, code=1).stderr


def test_the_command_makes_it_in_place_and_again(files):
    model, network = files
    said = _run("bundle", "compiled", model, network).stderr
    assert f"Written: {network}, compiled from {model}: 271 operators on the Edge TPU, 0" in said
    first = network.read_bytes()
    _run("bundle", "compiled", model, network)
    assert network.read_bytes() == first
    shown = _run("bundle", "show", network).stdout
    assert "compiled    for edgetpu from m.tflite: 271 operators on it, 0 on the CPU" in shown
    verified = _run("bundle", "verify", network).stdout
    assert "golden outputs: NOT checked; the network is compiled for the Edge TPU" in verified


def test_verify_refuses_a_manifest_that_hides_it(default, tmp_path):
    made = wrap(default, compiled(default.model), "m.tflite").with_fields(compiled=None)
    made.save(tmp_path / "m.tflite")
    assert "does not say" in _run("bundle", "verify", tmp_path / "m.tflite", code=1).stderr


def test_the_command_refuses_what_does_not_fit(files, tmp_path):
    model, network = files
    assert "is MODEL itself" in _run("bundle", "compiled", model, model, code=2).stderr
    bare = tmp_path / "bare.tflite"
    bare.write_bytes(Bundle.load(model).model)
    assert "nothing in it is compiled" in _run("bundle", "compiled", model, bare, code=1).stderr
    bare.write_bytes(compiled(MODEL))
    assert "another network" in _run("bundle", "compiled", model, bare, code=1).stderr
    bare.write_bytes(b"text")
    assert _run("bundle", "compiled", model, bare, code=1).stderr.startswith(f"Error: {bare}: ")
    out = tmp_path / "out.tflite"
    _run("bundle", "compiled", model, network, "--out", out)
    assert "compiled already" in _run("bundle", "compiled", out, network, code=1).stderr


def test_check_scores_itself_by_a_compiled_file(files, tmp_path):
    model, network = files
    out = _run("check", model, "--compiled", network).stdout
    assert "compiled: 271 of 271 ops on the Edge TPU, 0 not" in out
    assert "right about every op" in out
    network.write_bytes(compiled(Bundle.load(model).model, [269, 270]))
    ran = _run("check", model, "--compiled", network, "--json", code=3)
    assert "left 2 ops on the CPU" in ran.stderr
    told = json.loads(ran.stdout)["compiled"]
    assert (told["edgetpu_ops"], told["left_on_cpu"]) == (269, [269, 270])
    assert [(o["index"], o["checked"], o["compiled"]) for o in told["checker_wrong"]] == [
        (269, "edgetpu", "cpu"), (270, "edgetpu", "cpu"),
    ]  # fmt: skip
    _run("check", model, "--compiled", network, "--allow-cpu", 2)
    network.write_bytes(compiled(MODEL))
    assert str(network) in _run("check", model, "--compiled", network, code=1).stderr


def test_a_wrong_refusal_is_found_too(tmp_path):
    (tmp_path / "m.tflite").write_bytes(MODEL)
    (tmp_path / "c.tflite").write_bytes(compiled(MODEL))
    ran = _run("check", tmp_path / "m.tflite", "--compiled", tmp_path / "c.tflite")
    assert "wrong on op 2 (ABS): said cpu (not in Coral's list" in ran.stdout
    assert "it is edgetpu" in ran.stdout
