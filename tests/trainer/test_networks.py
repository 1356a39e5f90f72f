from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

import keras

from corrosion_edge.errors import DataError
from corrosion_edge.trainer import backbones, model
from corrosion_edge.trainer.data import Photo
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
