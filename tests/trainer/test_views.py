import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

import colorsys
import subprocess
import sys

import keras
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from corrosion_edge.trainer.views import BATCH, Augmentation, Views

EVERYTHING = Augmentation(
    flip="horizontal_and_vertical", rotation=0.2, contrast=0.2, brightness=0.2, translation=0.1,
    zoom=0.4, hue=0.1, hue_clean=0.5, saturation=0.3, grey=0.2,
)  # fmt: skip


def _photos(n: int = 37, size: int = 24) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    coarse = rng.integers(0, 256, (n, size // 4, size // 4, 3), np.uint8)
    return coarse.repeat(4, axis=1).repeat(4, axis=2), np.arange(n) % 2


def _made(a: Augmentation, seed: int = 1, number: int = 0) -> np.ndarray:
    return np.concatenate(list(Views(a, seed).make(*_photos(), number)))


def test_without_changes_a_view_is_the_photo():
    for number in (0, 3):
        assert np.array_equal(_made(Augmentation(), number=number), _photos()[0])


def test_views_are_float32_batches_in_range_and_in_order():
    batches = list(Views(EVERYTHING, 1).make(*_photos(), 2))
    assert [len(batch) for batch in batches] == [BATCH, 5]
    whole = np.concatenate(batches)
    assert whole.dtype == np.float32
    assert whole.shape == _photos()[0].shape
    assert whole.min() >= 0
    assert whole.max() <= 255


@pytest.mark.parametrize(
    "change",
    [{"flip": "horizontal"}, *({name: 0.3} for name in Augmentation().to_dict() if name != "flip")],
    ids=lambda change: next(iter(change)),
)
def test_each_change_changes_photos_and_depends_on_seed_and_number(change):
    a = Augmentation(**change)
    first = _made(a)
    assert not np.allclose(first, _photos()[0])
    assert np.array_equal(first, _made(a))
    assert not np.array_equal(first, _made(a, number=1))
    assert not np.array_equal(first, _made(a, seed=2))


def test_a_photo_looks_different_in_every_batch():
    pixels, labels = _photos(1)
    pixels, labels = pixels.repeat(2 * BATCH, axis=0), labels.repeat(2 * BATCH)
    first, second = Views(Augmentation(contrast=0.3), 1).make(pixels, labels, 0)
    assert not np.array_equal(first, second)
    assert len({photo.tobytes() for photo in first}) > 0.9 * BATCH


def test_a_view_does_not_depend_on_what_was_made_before():
    pixels, labels = _photos()
    views = Views(EVERYTHING, 1)
    fresh = _made(EVERYTHING, number=3)
    list(views.make(pixels[:5], labels[:5], 9))
    interrupted = views.make(pixels, labels, 3)
    start = next(interrupted)
    list(views.make(pixels, labels, 4))
    assert np.array_equal(np.concatenate([start, *interrupted]), fresh)


def test_another_process_makes_the_same_views(tmp_path):
    code = (
        "import numpy as np, sys; sys.path[:0] = sys.argv[2:]\n"
        "from test_views import EVERYTHING, _made\n"
        "np.save(sys.argv[1], _made(EVERYTHING, number=5))"
    )
    here = __file__.rpartition("/")[0]
    subprocess.run(
        [sys.executable, "-c", code, tmp_path / "views.npy", here], check=True, capture_output=True
    )
    assert np.array_equal(np.load(tmp_path / "views.npy"), _made(EVERYTHING, number=5))


def test_the_papers_five_are_kerass_layers_in_order():
    a = Augmentation(flip="horizontal_and_vertical", rotation=0.2, contrast=0.2, brightness=0.2,
                     translation=0.1)  # fmt: skip
    names = [type(layer) for layer in Views(a, 1)._layers]
    layers = keras.layers
    assert names == [layers.RandomFlip, layers.RandomRotation, layers.RandomContrast,
                     layers.RandomBrightness, layers.RandomTranslation]  # fmt: skip


def test_the_hue_of_clean_photos_alone_is_turned():
    pixels, labels = _photos()
    turned = _made(Augmentation(hue_clean=0.5))
    assert np.allclose(turned[labels == 1], pixels[labels == 1], atol=1e-2)
    assert not np.allclose(turned[labels == 0], pixels[labels == 0], atol=1)
    before, after = (
        np.array([colorsys.rgb_to_hsv(*p) for p in x[labels == 0].reshape(-1, 3) / 255.0])
        for x in (pixels, turned)
    )
    assert np.allclose(before[:, 1:], after[:, 1:], atol=1e-3)
    lively = (before[:, 1] > 0.2) & (before[:, 2] > 0.2)
    angles = np.where(lively, (after - before)[:, 0] % 1, np.nan).reshape(
        len(turned[labels == 0]), -1
    )
    spread = np.abs(
        np.exp(2j * np.pi * angles) - np.exp(2j * np.pi * np.nanmedian(angles, 1))[:, None]
    )
    assert np.nanmax(spread) < 0.05  # one turn a photo


def test_grey_takes_all_colour_from_some_photos():
    views = _made(Augmentation(grey=0.4))
    colourless = (views.max(-1) == views.min(-1)).all((1, 2))
    assert 0.15 < colourless.mean() < 0.65
    expected = tf.image.rgb_to_grayscale(_photos()[0].astype(np.float32)).numpy()
    assert np.allclose(views[colourless], expected[colourless], atol=0.01)
    assert np.array_equal(views[~colourless], _photos()[0][~colourless])


def test_zoom_shows_a_part_of_the_photo_enlarged():
    ramp = np.tile(np.arange(0, 240, 10, dtype=np.uint8)[:, None, None], (64, 1, 24, 3))
    views = np.concatenate(list(Views(Augmentation(zoom=0.5), 1).make(ramp, np.zeros(64), 0)))
    heights = (views[:, -1, 0, 0] - views[:, 0, 0, 0]) / 230
    assert 0.49 < heights.min() < 0.6
    assert 0.9 < heights.max() <= 1
    assert views[:, 0, 0, 0].max() > 60  # not only from the photo's middle or corner


@given(st.sampled_from(sorted(set(Augmentation().to_dict()) - {"flip"})), st.floats(0, 0.5))
def test_augmentations_come_back_from_plain_values(name, value):
    a = Augmentation(flip="horizontal", **{name: value})
    assert Augmentation.from_dict(a.to_dict()) == a


@pytest.mark.parametrize(
    "wrong", [{"flip": "both"}, {"hue": 0.6}, {"zoom": 1}, {"grey": -0.1}, {"blur": 1}]
)
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Augmentation.from_dict(wrong)
