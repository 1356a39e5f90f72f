import inspect
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

import keras
from keras.src.applications import densenet, efficientnet, efficientnet_v2

from corrosion_edge.errors import WeightsError
from corrosion_edge.trainer import backbones
from corrosion_edge.trainer.backbones import BACKBONES
from corrosion_edge.trainer.weights import store
from corrosion_edge.trainer.weights.arrays import content_sha256, npz_bytes
from corrosion_edge.trainer.weights.readers import read_into
from corrosion_edge.trainer.weights.variables import fill, values, variables

PAPER = {
    "efficientnetv2-b0": (270, 22.58), "efficientnetv2-b1": (334, 26.44),
    "efficientnetv2-b2": (349, 33.45), "efficientnetv2-b3": (409, 49.33),
    "efficientnetv2-s": (513, 77.56), "efficientnetv2-m": (740, 202.75),
    "efficientnetv2-l": (1028, 449.17), "efficientnet-b0": (238, 15.45),
    "efficientnet-b1": (340, 25.08), "efficientnet-b2": (340, 29.63),
    "densenet121": (427, 26.85), "densenet169": (595, 48.23),
}  # fmt: skip
"""Table 1: layers, MiB of float32 parameters."""


@pytest.fixture(autouse=True)
def no_weights_at_hand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("CORROSION_EDGE_WEIGHTS", str(tmp_path / "kept"))
    return tmp_path / "kept"


@pytest.fixture(scope="module")
def tiny() -> keras.Model:
    keras.utils.set_random_seed(3)
    return backbones.build("tiny", 64, "none")[0]


@pytest.mark.parametrize("name", PAPER)
def test_layers_and_parameters_are_those_of_the_papers_table_1(name):
    """Counted on the application as Keras builds it for ImageNet weights, input layer included."""
    expected = BACKBONES[name]
    assert (expected.layers, expected.mebibytes) == PAPER[name]
    # In this scope variables have a shape and no values: the largest would take 449 MiB.
    with keras.StatelessScope(initialize_variables=False):
        network = expected.build(input_shape=(224, 224, 3), weights=None)
        assert len(network.layers) - expected.added == expected.layers
        assert network.count_params() * 4 / 2**20 == pytest.approx(expected.mebibytes, abs=0.01)
        assert network.output_shape[1:3] == (7, 7)


def test_the_table_has_the_papers_twelve_and_two_more():
    assert set(BACKBONES) == {*PAPER, "efficientnet-lite0", "tiny"}
    for name, backbone in BACKBONES.items():
        assert (backbone.source is None) == (name == "tiny")


@pytest.mark.parametrize("name", [n for n in PAPER if n.startswith("efficientnet")])
def test_hashes_are_those_that_keras_checks(name):
    family, size = name.rsplit("-", 1)
    hashes = efficientnet_v2.WEIGHTS_HASHES if "v2" in family else efficientnet.WEIGHTS_HASHES
    known = hashes.get(size) or hashes[f"-{size}"]
    assert BACKBONES[name].source.md5 == known[1]


def _asks_for(monkeypatch, module, build) -> dict[str, str]:
    """File name and hash that an application of Keras asks for."""
    asked: dict[str, str] = {}

    def get_file(name, *args, file_hash, **kwargs):
        asked.update(file=name, md5=file_hash)
        raise OSError("no network here")

    monkeypatch.setattr(module, "get_file", get_file)
    with pytest.raises(WeightsError, match="no network here"):
        build()
    return asked


@pytest.mark.parametrize("name", ["efficientnetv2-b0", "efficientnet-b0"])
def test_file_names_are_those_that_keras_asks_for(name, monkeypatch):
    asked = _asks_for(
        monkeypatch, efficientnet.file_utils, lambda: backbones.build(name, 32, "imagenet")
    )
    source = BACKBONES[name].source
    assert asked == {"file": source.file, "md5": source.md5}


@pytest.mark.parametrize("name", ["densenet121", "densenet169"])
def test_densenet_files_are_those_in_keras(name):
    code, source = inspect.getsource(densenet.DenseNet), BACKBONES[name].source
    asked = code[code.index(f'"{source.file}"') :]
    assert asked[: asked.index(")")].endswith(f'file_hash="{source.md5}",\n                ')


def _pixels(size: int = 64) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (1, size, size, 3)).astype(np.float32)


def test_densenet_takes_pixels_as_they_are(tmp_path):
    """Its weights expect the normalisation that Keras leaves to the caller."""
    network, _ = backbones.build("densenet121", 64, "none")
    bare = keras.applications.DenseNet121(include_top=False, weights=None, input_shape=(64, 64, 3))
    bare.save_weights(tmp_path / "bare.weights.h5")
    read_into(network, tmp_path / "bare.weights.h5")
    theirs = values(bare)
    assert all(np.array_equal(theirs[key], array) for key, array in values(network).items())
    expected = bare(keras.applications.densenet.preprocess_input(_pixels()))
    assert np.asarray(network(_pixels())) == pytest.approx(np.asarray(expected), abs=1e-4)
    assert isinstance(network.input, keras.KerasTensor)


def test_efficientnet_from_a_file_is_the_network_keras_makes_for_imagenet(monkeypatch, tmp_path):
    """Keras scales the input differently for weights="imagenet" than for a file."""
    bare = keras.applications.EfficientNetB0(
        include_top=False, weights=None, input_shape=(64, 64, 3)
    )
    layer = next(x for x in bare.layers if isinstance(x, keras.layers.Normalization))
    layer.set_weights([np.array([0.4, 0.5, 0.6]), np.array([0.05, 0.06, 0.07]), np.array(1)])
    bare.save_weights(tmp_path / "b0.weights.h5")
    monkeypatch.setattr(
        efficientnet.file_utils, "get_file", lambda *a, **k: str(tmp_path / "b0.weights.h5")
    )
    by_keras, origin = backbones.build("efficientnet-b0", 64, "imagenet")
    assert origin == "ImageNet, from Keras"
    ours, _ = backbones.build("efficientnet-b0", 64, "none")
    read_into(ours, tmp_path / "b0.weights.h5")
    assert np.asarray(ours(_pixels())) == pytest.approx(np.asarray(by_keras(_pixels())), abs=1e-6)
    ours, _ = backbones.build("efficientnet-b0", 64, "none")
    fill(ours, values(by_keras), tmp_path / "x.npz")
    assert "normalization/mean" in values(ours)
    expected = np.asarray(by_keras(_pixels()))
    assert np.abs(expected).max() > 0
    assert np.asarray(ours(_pixels())) == pytest.approx(expected, abs=1e-6)
    assert not np.allclose(np.asarray(bare(_pixels())), expected)


def test_weights_come_back_from_a_npz(tiny, tmp_path):
    np.savez(tmp_path / "w.npz", **values(tiny))
    other, origin = backbones.build("tiny", 64, str(tmp_path / "w.npz"))
    assert origin.startswith("w.npz, SHA-256 ")
    for name, array in values(tiny).items():
        assert np.array_equal(values(other)[name], array)


@pytest.mark.parametrize("change", ["missing", "shape", "unknown", "type"])
def test_weights_of_another_network_are_refused(tiny, tmp_path, change):
    arrays = values(tiny)
    name = next(iter(arrays))
    if change == "missing":
        del arrays[name]
    elif change == "shape":
        arrays[name] = np.zeros((1, 2), np.float32)
    elif change == "unknown":
        arrays["surplus/kernel"] = np.zeros(1, np.float32)
    else:
        arrays[name] = arrays[name].astype(np.int32)
    np.savez(tmp_path / "w.npz", **arrays)
    before = values(tiny)
    with pytest.raises(WeightsError, match=r"w\.npz: not the weights of tiny: .*/"):
        backbones.load_npz(tiny, tmp_path / "w.npz")
    assert all(np.array_equal(before[key], array) for key, array in values(tiny).items())


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused(tiny, tmp_path, value):
    arrays = values(tiny)
    arrays["block3_conv/kernel"].flat[5] = value
    np.savez(tmp_path / "w.npz", **arrays)
    with pytest.raises(WeightsError, match=r"'block3_conv/kernel' holds .* no finite"):
        backbones.load_npz(tiny, tmp_path / "w.npz")


def test_files_that_are_no_weights(tiny, tmp_path):
    with pytest.raises(WeightsError, match="no such file"):
        backbones.load_npz(tiny, tmp_path / "missing.npz")
    (tmp_path / "x.npz").write_bytes(b"nonsense")
    with pytest.raises(WeightsError, match="not a readable"):
        backbones.load_npz(tiny, tmp_path / "x.npz")
    np.savez(tmp_path / "pickled.npz", x=np.array([{"code": print}], dtype=object))
    with pytest.raises(WeightsError, match="not a readable"):
        backbones.load_npz(tiny, tmp_path / "pickled.npz")


def _offline(monkeypatch) -> None:
    def offline(*args: object, **kwargs: object) -> None:
        raise OSError("network is unreachable")

    monkeypatch.setattr(keras.applications, "EfficientNetV2B0", offline)


def test_imagenet_weights_that_cannot_be_had(monkeypatch):
    _offline(monkeypatch)
    advice = r"weights import FILE, or name a file with --weights FILE\.npz"
    with pytest.raises(WeightsError, match=rf"\(network is unreachable\); bring .*{advice}"):
        backbones.build("efficientnetv2-b0", 224, "imagenet")
    with pytest.raises(WeightsError, match=rf"Keras does not have .*-lite0; bring .*{advice}"):
        backbones.build("efficientnet-lite0", 224, "imagenet")
    with pytest.raises(WeightsError, match="--weights none"):
        backbones.build("tiny", 64, "imagenet")


def _keep(folder: Path, verified_by: str) -> dict[str, np.ndarray]:
    arrays = values(backbones.build("efficientnetv2-b0", 32, "none")[0])
    note = store.Record(
        backbone="efficientnetv2-b0", source="mine.h5", origin="x", licence="x",
        verified_by=verified_by, content_sha256=content_sha256(arrays), file_sha256="x",
        imported="2026-01-01",
    )  # fmt: skip
    store.save(folder, note, arrays, replace=False)
    return arrays


def test_imagenet_is_first_looked_for_in_the_weights_folder(monkeypatch, no_weights_at_hand):
    arrays = _keep(no_weights_at_hand, store.BY_KERAS)
    _offline_for_imagenet_only(monkeypatch)
    network, origin = backbones.build("efficientnetv2-b0", 32, "imagenet")
    assert origin.startswith("ImageNet, from the weights folder: mine.h5, verified by Keras's")
    assert content_sha256(arrays) in origin
    assert all(np.array_equal(arrays[key], array) for key, array in values(network).items())


def _offline_for_imagenet_only(monkeypatch) -> None:
    def get_file(*args: object, **kwargs: object) -> None:
        raise OSError("network is unreachable")

    monkeypatch.setattr(efficientnet.file_utils, "get_file", get_file)


def test_unverified_weights_do_not_pass_for_imagenet(monkeypatch, no_weights_at_hand):
    _keep(no_weights_at_hand, store.BY_NOBODY)
    _offline_for_imagenet_only(monkeypatch)
    with pytest.raises(WeightsError, match=r"efficientnetv2-b0\.npz is unverified"):
        backbones.build("efficientnetv2-b0", 32, "imagenet")


def test_altered_weights_are_refused_not_passed_over(no_weights_at_hand):
    arrays = _keep(no_weights_at_hand, store.BY_KERAS)
    arrays["stem_bn/gamma"] += 1
    (no_weights_at_hand / "efficientnetv2-b0.npz").write_bytes(npz_bytes(arrays))
    with pytest.raises(WeightsError, match="altered since it was imported"):
        backbones.build("efficientnetv2-b0", 32, "imagenet")


def test_names_of_variables_do_not_depend_on_how_many_networks_were_built():
    for name in ("efficientnet-b0", "tiny"):
        first, second = (backbones.build(name, 32, "none")[0] for _ in range(2))
        assert list(variables(first)) == list(variables(second))


def test_two_do_not_download_the_same_at_the_same_time(monkeypatch):
    at_it, most = [], []

    def download(**_):
        at_it.append(1)
        most.append(len(at_it))
        time.sleep(0.2)
        at_it.pop()
        raise OSError("no network")

    row = replace(backbones.BACKBONES["efficientnetv2-b0"], build=download)
    monkeypatch.setitem(backbones.BACKBONES, "efficientnetv2-b0", row)

    def build(_):
        with pytest.raises(WeightsError, match="no network"):
            backbones.build("efficientnetv2-b0", 64, "imagenet")

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(build, range(3)))
    assert most == [1, 1, 1]
