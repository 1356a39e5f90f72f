"""``corrosion-edge bundle``, and ``--require-signature`` and ``--verify`` of the others."""

import dataclasses
import io
import json
import stat
import subprocess
import sys
import zlib
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from corrosion_edge.bundle import DEFAULT_MODEL, Bundle
from corrosion_edge.cli import cli
from corrosion_edge.device.backends import litert
from corrosion_edge.device.backends.fake import FakeBackend
from corrosion_edge.device.bundle_cli import PASSPHRASE
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.errors import BackendError, BundleError
from corrosion_edge.image import digest, prepare, read
from corrosion_edge.manifest import Golden
from corrosion_edge.modelfile.container import Container

pytest.importorskip("cryptography", reason="cryptography is not installed")
litert_there = pytest.mark.skipif(
    not any(find_spec(module.split(".")[0]) for module, _ in litert.RUNTIMES),
    reason="no TFLite runtime is installed",
)


def run(*words: object, code: int = 0, stdin: str | None = None) -> Result:
    result = CliRunner().invoke(cli, [*map(str, words)], input=stdin)
    assert result.exit_code == code, result.output
    assert code == 0 or result.exception is None or isinstance(result.exception, SystemExit)
    return result


@pytest.fixture
def key(tmp_path: Path) -> Path:
    run("bundle", "keygen", "--out", tmp_path / "key")
    return tmp_path / "key"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(DEFAULT_MODEL.read_bytes())
    return path


@pytest.fixture
def signed(model: Path, key: Path) -> Path:
    run("bundle", "sign", model, "--key", key)
    return model


def test_show_says_what_is_inside(model):
    said = run("bundle", "show", model).stdout
    for part in ("recipe best, int8", "signature   none", "76 CONV_2D", "confidence", "provenance",
                 "drift", "golden/0.png", "recall_threshold"):  # fmt: skip
        assert part in said


def test_show_as_json(signed, key):
    found = json.loads(run("bundle", "show", signed, "--json").stdout)
    assert set(found) == {"file", "bytes", "sha256", "signature", "network", "members", "manifest"}
    assert found["manifest"] == json.loads(Bundle.load(signed).manifest.to_json())
    assert found["signature"]["key"] == found["signature"]["key"].lower()
    assert [m["name"] for m in found["members"]][-2:] == ["manifest.json", "signature.json"]
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated", reason="no LiteRT schema")
    graph = schema.Model.GetRootAs(Bundle.load(signed).model, 0).Subgraphs(0)
    assert found["network"]["tensors"] == graph.TensorsLength()


def test_what_a_file_says_of_itself_cannot_move_the_cursor(tmp_path):
    sly = {"a\x1b[2J": "\x1b[31mred\nError: no"}
    bundle = Bundle.seal(b"\x1c\0\0\0TFL3x", {}, name="x", outputs={"scores": "s"}, provenance=sly)
    bundle.save(tmp_path / "m.tflite")
    said = run("bundle", "show", tmp_path / "m.tflite").stdout
    assert "\x1b" not in said
    assert "\nError" not in said
    assert "refused: the network is damaged" in said


def test_signing_in_place_is_deterministic_and_leaves_the_model_as_it_was(model, key, tmp_path):
    before = Bundle.load(model)
    run("bundle", "sign", model, "--key", key, "--out", tmp_path / "one.tflite")
    assert model.read_bytes() == DEFAULT_MODEL.read_bytes()
    run("bundle", "sign", model, "--key", key)
    run("bundle", "sign", model, "--key", key)
    assert model.read_bytes() == (tmp_path / "one.tflite").read_bytes()
    assert Bundle.load(model) == before
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_sign_refuses_a_damaged_model_and_an_open_key(model, key):
    key.chmod(0o644)
    assert f"run: chmod 600 {key}" in run("bundle", "sign", model, "--key", key, code=2).stderr
    key.chmod(0o600)
    model.write_bytes(model.read_bytes()[:-1])
    assert "model.tflite" in run("bundle", "sign", model, "--key", key, code=1).stderr


def test_an_encrypted_key(model, tmp_path, monkeypatch):
    run("bundle", "keygen", "--out", tmp_path / "k", "--passphrase", stdin="pass\npass\n")
    assert b"ENCRYPTED" in (tmp_path / "k").read_bytes()
    said = run("bundle", "sign", model, "--key", tmp_path / "k", code=2).stderr
    assert PASSPHRASE in said
    monkeypatch.setenv(PASSPHRASE, "pass")
    run("bundle", "sign", model, "--key", tmp_path / "k")
    monkeypatch.setenv(PASSPHRASE, "wrong")
    assert "passphrase" in run("bundle", "sign", model, "--key", tmp_path / "k", code=2).stderr


def test_keygen_overwrites_nothing(key):
    before = key.read_bytes()
    assert "exists already" in run("bundle", "keygen", "--out", key, code=1).stderr
    assert key.read_bytes() == before


@litert_there
def test_verify_says_what_is_right(signed, key):
    said = run("bundle", "verify", signed, "--key", f"{key}.pub").stdout.splitlines()
    assert said[0].startswith("signature: made with the key")
    assert said[-1].endswith("on 3 pictures")
    said = run("bundle", "verify", signed, "--level", "quick").stdout.splitlines()
    assert "NOT checked" in said[0]
    assert said[-1].endswith("on 1 picture")


def test_verify_ends_at_the_first_thing_that_is_wrong(model, signed, key, tmp_path):
    run("bundle", "keygen", "--out", tmp_path / "other")
    result = run("bundle", "verify", signed, "--key", tmp_path / "other.pub", code=1)
    assert result.stdout == ""
    assert "another key" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@litert_there
def test_verify_fails_where_this_machine_answers_otherwise(tmp_path):
    bundle = Bundle.load(DEFAULT_MODEL)
    golden = list(bundle.manifest.golden)
    golden[2] = dataclasses.replace(golden[2], scores=tuple(n + 3 for n in golden[2].scores))
    bundle.with_fields(golden=tuple(golden)).save(tmp_path / "m.tflite")
    run("bundle", "verify", tmp_path / "m.tflite", "--level", "quick")
    result = run("bundle", "verify", tmp_path / "m.tflite", code=1)
    assert "up to 3 of 256 steps away" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_verify_without_a_runtime_says_what_to_install(model, monkeypatch):
    monkeypatch.setattr(litert, "RUNTIMES", (("no_such_runtime.interpreter", "none"),))
    result = run("bundle", "verify", model, code=2)
    assert "hashes fit" in result.stdout
    assert "pip install 'corrosion-edge[device]'" in result.stderr


def test_without_the_package_for_signatures_it_says_what_to_install(model, tmp_path):
    code = (
        "import sys; sys.modules['cryptography'] = None\n"
        "from corrosion_edge.cli import main; main()"
    )
    key = tmp_path / "k.pub"
    for words in (["bundle", "keygen", "--out", tmp_path / "k"],
                  ["watch", "--model", model, "--require-signature", key]):  # fmt: skip
        done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
        assert done.returncode == 2
        assert "pip install 'corrosion-edge[device]'" in done.stderr
        assert "Traceback" not in done.stderr
    done = subprocess.run([sys.executable, "-c", code, "bundle", "show", model], check=True)


def test_diff_of_the_same_and_of_others(model, signed, tmp_path):
    assert run("bundle", "diff", signed, signed).stdout == "the same\n"
    assert json.loads(run("bundle", "diff", signed, signed, "--json").stdout) == {}
    found = json.loads(run("bundle", "diff", DEFAULT_MODEL, signed, "--json", code=1).stdout)
    assert list(found) == ["signature"]
    bundle = Bundle.load(DEFAULT_MODEL)
    golden = list(bundle.manifest.golden)
    golden[1] = dataclasses.replace(golden[1], scores=tuple(n + 5 for n in golden[1].scores))
    other = bundle.with_fields(threshold=0.25, golden=tuple(golden), drift={"n": 3})
    other.save(tmp_path / "other.tflite")
    found = json.loads(run("bundle", "diff", DEFAULT_MODEL, tmp_path / "other.tflite", "--json",
                           code=1).stdout)  # fmt: skip
    assert found["golden"] == {"golden/1.png": 5}
    assert found["manifest"]["threshold"] == [0.5, 0.25]
    assert found["manifest"]["drift.n"] == [364, 3]
    assert set(found) == {"golden", "manifest"}
    said = run("bundle", "diff", DEFAULT_MODEL, tmp_path / "other.tflite", code=1).stdout
    assert "  threshold: 0.5 -> 0.25\n" in said
    assert "  golden/1.png: up to 5 steps of 256\n" in said


def test_diff_of_a_network_and_a_member(tmp_path):
    for name, byte in (("a", b"a"), ("b", b"b")):
        Bundle.seal(b"\x1c\0\0\0TFL3" + byte, {f"{name}.txt": byte}, name="x",
                    outputs={"scores": "s"}).save(tmp_path / name)  # fmt: skip
    words = ("bundle", "diff", tmp_path / "a", tmp_path / "b", "--json")
    found = json.loads(run(*words, code=1).stdout)
    assert "sha256" in found["network"]
    assert set(found["members"]) == {"a.txt", "b.txt"}


def test_diff_of_a_file_that_cannot_be_read_is_trouble(model, tmp_path):
    assert "no such model file" in run("bundle", "diff", model, tmp_path / "no", code=2).stderr


@pytest.fixture
def watched(monkeypatch):
    """Whether the interpreter was reached."""
    reached = []
    monkeypatch.setattr(
        "corrosion_edge.device.accelerator.opening.open_backend",
        lambda bundle, *, threads=None, kernels="": reached.append(bundle) or FakeBackend(),
    )
    return reached


COMMANDS = (("watch", "--camera", "demo", "--frames", "1"), ("classify", "photo.png"))


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (20, 10)).save("photo.png")
    path = tmp_path / "small.tflite"
    outputs = {"scores": "a", "map": "b"}
    Bundle.seal(b"\x1c\0\0\0TFL3fake", {}, name="small", outputs=outputs).save(path)
    return path


@pytest.mark.parametrize("command", COMMANDS, ids=["watch", "classify"])
def test_only_a_signed_model_reaches_the_interpreter(command, small, key, watched, tmp_path):
    words = (*command, "--model", small, "--require-signature", f"{key}.pub")
    assert "it is not signed" in run(*words, code=1).stderr
    run("bundle", "keygen", "--out", tmp_path / "other")
    run("bundle", "sign", small, "--key", tmp_path / "other")
    result = run(*words, code=1)
    assert "another key" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    run("bundle", "sign", small, "--key", key)
    content = small.read_bytes()
    altered = Bundle.load(small).with_fields(threshold=0.9)
    file = Container.from_bytes(altered.to_bytes())
    signature = Container.from_bytes(content).members[-1]
    small.write_bytes(Container(file.model, (*file.members, signature)).to_bytes())
    assert "changed after it was signed" in run(*words, code=1).stderr
    assert watched == []
    small.write_bytes(content)
    run(*words)
    assert len(watched) == 1


def test_a_key_that_is_none_is_wrong_usage(small, watched, tmp_path):
    words = ("watch", "--model", small, "--require-signature", tmp_path / "no.pub")
    assert "no such key" in run(*words, code=2).stderr
    assert watched == []


def _golden_bundle(picture: bytes, count: int = 1) -> Bundle:
    from corrosion_edge.image import Preprocessing

    try:
        prepared = digest(prepare(read(io.BytesIO(picture)), Preprocessing()))
    except ValueError:
        prepared = "0" * 64
    files = {f"golden/{n}.png": picture for n in range(count)}
    golden = tuple(Golden(name, prepared, (255, 0)) for name in files)
    return Bundle.seal(b"\x1c\0\0\0TFL3fake", files, name="golden", golden=golden,
                       outputs={"scores": "a"})  # fmt: skip


def _png(colour: tuple[int, int, int] = (100, 100, 100)) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (224, 224), colour).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize(("words", "runs"), [((), 1), (("--verify", "full"), 3)])
def test_verify_runs_one_golden_picture_or_all(words, runs, tmp_path, monkeypatch):
    _golden_bundle(_png(), 3).save(tmp_path / "m.tflite")
    backend = FakeBackend()
    monkeypatch.setattr(
        "corrosion_edge.device.accelerator.opening.open_backend", lambda *_, **__: backend
    )
    photo = tmp_path / "photo.png"
    photo.write_bytes(_png())
    run("classify", photo, "--model", tmp_path / "m.tflite", *words)
    assert backend.history.count("ran") == runs + 1


def test_another_level_is_our_own_mistake():
    with pytest.raises(ValueError, match="quick or full"):
        Classifier(_golden_bundle(_png()), FakeBackend()).check_golden("most")


def _bomb() -> bytes:
    """A PNG of 20,000 x 20,000 pixels in a few hundred bytes."""
    head = (20_000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content).to_bytes(4, "big")
        return len(content).to_bytes(4, "big") + kind + content + check

    data = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("picture", [_bomb(), b"no picture", b"", b"GIF89a", _png()[:60]],
                         ids=["bomb", "text", "empty", "gif", "cut"])  # fmt: skip
def test_a_golden_picture_that_cannot_be_used_is_refused(picture):
    with (
        Classifier(_golden_bundle(picture), FakeBackend()) as classifier,
        pytest.raises(BundleError, match="a golden picture cannot be used"),
    ):
        classifier.check_golden()


@litert_there
def test_outputs_of_another_shape_are_refused_when_the_model_is_opened():
    bundle = Bundle.load(DEFAULT_MODEL)
    for outputs in ({"scores": "map"}, {"scores": "scores", "map": "scores"}):
        with pytest.raises(BackendError, match="has the shape"):
            litert.LiteRtBackend(bundle.with_fields(outputs=outputs))


@litert_there
def test_an_unsound_network_is_refused_with_its_file(tmp_path):
    outputs = {"scores": "a"}
    Bundle.seal(b"\x1c\0\0\0TFL3fake", {}, name="x", outputs=outputs).save(tmp_path / "m.tflite")
    with pytest.raises(BundleError, match=r"m\.tflite: the network is damaged"):
        Classifier.open(tmp_path / "m.tflite")
