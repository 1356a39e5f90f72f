from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

import keras

from corrosion_edge.errors import DataError, UsageError, WeightsError
from corrosion_edge.trainer import backbones, model, recipes
from corrosion_edge.trainer.data import Photo
from corrosion_edge.trainer.recipes import fast, paper
from corrosion_edge.trainer.samples import Samples


@pytest.fixture(scope="module")
def tiny() -> keras.Model:
    keras.utils.set_random_seed(3)
    return backbones.build("tiny", 64, "none")[0]


def _samples(n: int = 24, seed: int = 0) -> Samples:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    pixels = rng.integers(0, 120, (n, 64, 64, 3), np.uint8)
    pixels[labels == 1, 16:48, 16:48, 0] += 120
    return Samples(pixels, labels, (Photo(Path("x.jpg"), 0),) * n)


@pytest.mark.parametrize("name", [n for n, b in backbones.BACKBONES.items() if b.layers])
def test_layers_and_parameters_are_those_of_the_papers_table_1(name):
    expected = backbones.BACKBONES[name]
    network, origin = backbones.build(name, 224, "none")
    assert len(network.layers) == expected.layers
    assert network.count_params() * 4 / 2**20 == pytest.approx(expected.mebibytes, abs=0.01)
    assert origin == "random"


def _arrays(network: keras.Model) -> dict[str, np.ndarray]:
    return {f"{x.name}/{v.name}": v.numpy() for x in network.layers for v in x.weights}


def test_weights_come_back_from_a_npz(tiny, tmp_path):
    np.savez(tmp_path / "w.npz", **_arrays(tiny))
    other, _ = backbones.build("tiny", 64, "none")
    # Keras numbers its layers on; the file speaks of the first network's names.
    for theirs, ours in zip(tiny.layers, other.layers, strict=True):
        ours.name = theirs.name
    origin = backbones.load_npz(other, tmp_path / "w.npz")
    assert origin.startswith("w.npz, SHA-256 ")
    for name, array in _arrays(tiny).items():
        assert np.array_equal(_arrays(other)[name], array)


@pytest.mark.parametrize("change", ["missing", "shape", "unknown"])
def test_weights_of_another_network_are_refused(tiny, tmp_path, change):
    arrays = _arrays(tiny)
    name = next(iter(arrays))
    if change == "missing":
        del arrays[name]
    elif change == "shape":
        arrays[name] = np.zeros((1, 2))
    else:
        arrays["surplus/kernel"] = np.zeros(1)
    np.savez(tmp_path / "w.npz", **arrays)
    with pytest.raises(WeightsError, match=r"w\.npz: not the weights of tiny: .*/"):
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


def test_imagenet_weights_that_cannot_be_downloaded(monkeypatch):
    def offline(*args: object, **kwargs: object) -> None:
        raise OSError("network is unreachable")

    monkeypatch.setattr(keras.applications, "EfficientNetV2B0", offline)
    with pytest.raises(WeightsError, match=r"cannot be downloaded .*--weights FILE\.npz"):
        backbones.build("efficientnetv2-b0", 224, "imagenet")
    with pytest.raises(WeightsError, match="--weights none"):
        backbones.build("tiny", 64, "imagenet")


@pytest.mark.parametrize("pooling", ["avg", "max"])
def test_the_delivered_network_answers_like_the_trained_one(tiny, pooling):
    parts = model.assemble(tiny, pooling)
    model.set_head(parts.model, np.random.default_rng(1).normal(size=160), 0.3)
    pixels = _samples().pixels
    expected = model.predict(parts.model, pixels)
    delivered = model.deliverable(parts.model)
    for picture, p in zip(pixels[:6], expected[:6], strict=True):
        outputs = delivered(picture[None].astype(np.float32))
        scores = np.asarray(outputs["scores"])
        assert scores.shape == (1, 2)
        assert scores.sum() == pytest.approx(1, abs=1e-6)
        assert scores[0, 1] == pytest.approx(p, abs=1e-5)
        assert ("map" in outputs) == (pooling == "avg")
        if pooling == "avg":
            assert outputs["map"].shape == (1, 2, 2, 1)
            log_odds = float(np.mean(outputs["map"]))
            assert 1 / (1 + np.exp(-log_odds)) == pytest.approx(p, abs=1e-5)


def test_a_saved_model_answers_the_same(tiny, tmp_path):
    parts = model.assemble(tiny, "avg")
    pixels = _samples().pixels[:4]
    parts.model.save(tmp_path / "m.keras")
    loaded = model.load(tmp_path / "m.keras")
    assert model.predict(loaded, pixels) == pytest.approx(model.predict(parts.model, pixels))


def test_what_is_no_model_of_ours_is_refused(tiny, tmp_path):
    (tmp_path / "x.keras").write_bytes(b"nonsense")
    with pytest.raises(DataError, match="not a Keras model"):
        model.load(tmp_path / "x.keras")
    tiny.save(tmp_path / "backbone.keras")
    with pytest.raises(DataError, match="one probability"):
        model.load(tmp_path / "backbone.keras")


def _task(backbone: keras.Model, **options) -> recipes.Task:
    return recipes.Task(
        backbone=backbone,
        train=_samples(64),
        validation=_samples(24, seed=9),
        options=recipes.Options(**options),
    )


def test_the_fast_head_is_the_logistic_regression_it_chose(tiny):
    task = _task(tiny)
    fitted = recipes.fit("fast", task)
    losses = [row["validation_loss"] for row in fitted.history]
    assert fitted.settings["strength"] == fast.STRENGTHS[int(np.argmin(losses))]
    p = model.predict(fitted.model, task.validation.pixels)
    y = task.validation.labels
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    assert loss == pytest.approx(min(losses), rel=1e-3)


def test_the_paper_thaws_the_top_54_of_270_layers():
    network, _ = backbones.build("efficientnetv2-b0", 224, "none")
    parts = model.assemble(network, "avg")
    network.trainable = False
    assert paper.thaw_top(parts, 0.2) == 54
    thawed = [layer for layer in network.layers if layer.trainable]
    assert thawed == network.layers[-54:]


def test_the_papers_two_parts_change_only_what_they_may(tiny):
    backbone, _ = backbones.build("tiny", 64, "none")
    moving = [v for x in backbone.layers for v in x.weights if "moving" in v.name]
    start = {v.path: v.numpy() for v in backbone.weights}
    statistics = [v.numpy() for v in moving]
    frozen = recipes.fit("paper", _task(backbone, epochs=(2, 0)))
    assert all(np.array_equal(start[v.path], v.numpy()) for v in backbone.weights)
    assert len(frozen.history) == 2
    tuned = recipes.fit("paper", _task(backbone, epochs=(1, 2), fine_tune=0.2))
    changed = {v.path for v in backbone.weights if not np.array_equal(start[v.path], v.numpy())}
    top = {v.path for x in backbone.layers[-round(0.2 * len(backbone.layers)) :] for v in x.weights}
    assert changed
    assert changed <= top
    assert all(np.array_equal(a, b.numpy()) for a, b in zip(statistics, moving, strict=True))
    assert [row["epoch"] for row in tuned.history] == [1, 2, 3]


def test_augmentation_is_the_papers_five_and_keeps_the_range():
    views = paper.augmentation(1)
    names = [type(layer).__name__ for layer in views.layers]
    assert names == ["RandomFlip", "RandomRotation", "RandomContrast", "RandomBrightness",
                     "RandomTranslation"]  # fmt: skip
    pixels = _samples().pixels.astype(np.float32)
    once = np.asarray(views(pixels, training=True))
    assert not np.allclose(once, pixels)
    assert once.min() >= 0
    assert once.max() <= 255
    assert np.allclose(views(pixels, training=False), pixels)


def test_options_without_use_are_refused_not_ignored(tiny):
    with pytest.raises(UsageError, match="--epochs: the recipe 'fast'"):
        recipes.fit("fast", _task(tiny, epochs=(3,)))
    with pytest.raises(UsageError, match="--fine-tune"):
        recipes.fit("scratch", _task(tiny, fine_tune=0.2))
    for wrong in ({"fine_tune": 0}, {"fine_tune": 1.5}, {"pooling": "sum"}, {"epochs": (-1,)}):
        with pytest.raises(UsageError):
            recipes.Options(**wrong)


def test_the_same_seed_trains_the_same_model():
    def train() -> list[dict[str, float]]:
        keras.utils.set_random_seed(5)
        backbone, _ = backbones.build("tiny", 64, "none")
        return recipes.fit("scratch", _task(backbone, epochs=(2,), seed=5)).history

    first, second = train(), train()
    for one, other in zip(first, second, strict=True):
        assert one == pytest.approx(other, rel=1e-4)
