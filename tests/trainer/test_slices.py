import json
from concurrent.futures import Future

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import stats

from corrosion_edge import image
from corrosion_edge.image import Preprocessing
from corrosion_edge.render import golden_pictures
from corrosion_edge.trainer import robustness
from corrosion_edge.trainer.data import Photo
from corrosion_edge.trainer.report import evaluation_page
from corrosion_edge.trainer.slices import REFERENCE, SLICES, Base, Slice, reference, views

SPEC = Preprocessing(32, 32)
VIEWS = 1 + sum(len(piece.levels) for piece in SLICES)
BY_NAME = {piece.name: piece for piece in SLICES}


def _picture(height: int = 60, width: int = 90, seed: int = 0) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(40, 200, (6, 9, 3), np.uint8)
    picture = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(picture)


@pytest.fixture
def base():
    return Base(_picture(320, REFERENCE))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 900), st.integers(1, 900))
def test_every_photo_comes_to_the_same_size(height, width):
    scaled = reference(np.zeros((height, width, 3), np.uint8))
    assert max(scaled.shape[:2]) == REFERENCE
    assert scaled.shape[0] / scaled.shape[1] == pytest.approx(height / width, rel=0.6, abs=0.01)


def test_a_photo_of_the_reference_size_is_left_as_it_is(base):
    assert reference(base.pixels) is base.pixels


def test_every_level_of_every_slice_changes_the_photo(base):
    seen = views(base.pixels, SPEC)
    assert seen.shape == (VIEWS, 32, 32, 3)
    assert seen.dtype == np.uint8
    assert np.array_equal(seen[0], image.prepare(base.pixels, SPEC))
    noise = Base(np.random.default_rng(0).integers(0, 255, (320, 640, 3), np.uint8))
    for piece in SLICES:
        for level in piece.levels:
            altered = np.asarray(piece.alter(noise, level))
            assert not np.array_equal(altered, noise.pixels), (piece.name, level)


def test_views_are_the_same_each_time():
    assert np.array_equal(views(_picture(), SPEC), views(_picture(), SPEC))
    assert not np.array_equal(Base(_picture()).noise, Base(_picture(seed=1)).noise)


def test_greyscale_has_no_colour(base):
    grey = np.asarray(BY_NAME["greyscale"].alter(base, 0))
    assert np.array_equal(
        grey, np.asarray(Image.fromarray(base.pixels).convert("L").convert("RGB"))
    )


@pytest.mark.parametrize(("degrees", "colour"), [(90, "chartreuse"), (-135, "blue"), (180, "cyan")])
def test_hue_turns_red(degrees, colour):
    red = Base(np.full((8, 8, 3), (255, 0, 0), np.uint8))
    turned = np.asarray(BY_NAME["hue"].alter(red, degrees))[0, 0].astype(int)
    wanted = {"chartreuse": (128, 255, 0), "blue": (0, 64, 255), "cyan": (0, 255, 255)}[colour]
    assert turned == pytest.approx(np.array(wanted), abs=4)


def test_hue_leaves_grey_alone():
    grey = np.full((8, 8, 3), 120, np.uint8)
    assert np.array_equal(np.asarray(BY_NAME["hue"].alter(Base(grey), 90)), grey)


def test_brightness_and_contrast_are_factors(base):
    pixels = base.pixels.astype(float)
    dark = np.asarray(BY_NAME["brightness"].alter(base, 0.5)).astype(float)
    assert dark == pytest.approx(pixels / 2, abs=1)
    flat = np.asarray(BY_NAME["contrast"].alter(base, 0.5)).astype(float)
    assert flat.std() == pytest.approx(pixels.std() / 2, rel=0.05)


def test_noise_and_blur_have_the_sigma_they_say():
    grey = Base(np.full((320, 640, 3), 128, np.uint8))
    noisy = np.asarray(BY_NAME["noise"].alter(grey, 20)).astype(float)
    assert noisy.std() == pytest.approx(20, rel=0.02)
    point = np.zeros((101, 101, 3), np.uint8)
    point[50, 50] = 255
    stretched = np.asarray(BY_NAME["blur"].alter(Base(np.repeat(point, 1, 0)), 3)).astype(float)
    row = stretched[:, :, 0].sum(axis=0)
    spread = np.sqrt((row * (np.arange(101) - 50) ** 2).sum() / row.sum())
    assert spread == pytest.approx(3, rel=0.2)  # 8 bits cut the tails


def test_stronger_levels_change_more(base):
    """Of one side of a slice; hue and rotation are circles and have no such order."""
    for name in ("greyscale", "brightness", "contrast", "blur", "jpeg", "noise"):
        for side in BY_NAME[name].sides:
            changes = []
            for level in side:
                altered = np.asarray(BY_NAME[name].alter(base, level))
                changes.append(np.abs(altered.astype(float) - base.pixels).mean())
            assert changes == sorted(changes), name


def test_resolution_divides_the_sides(base):
    assert BY_NAME["resolution"].alter(base, 4).size == (160, 80)
    assert BY_NAME["resolution"].alter(Base(base.pixels[:3]), 16).size == (40, 1)


def test_four_turns_are_none(base):
    turned = base.pixels
    for _ in range(4):
        turned = np.asarray(BY_NAME["rotation"].alter(Base(turned), 90))
    assert np.array_equal(turned, base.pixels)


@pytest.mark.parametrize("levels", [(), (2, 1), (1, 1), (0, 1)])
def test_levels_that_are_no_curve_are_refused(levels):
    with pytest.raises(ValueError, match="rising"):
        Slice("x", "X", "u", "{}", 0, levels, BY_NAME["hue"].alter)


def _scores(n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and scores of every view that equal the plain ones, all right."""
    labels = np.arange(n) % 2
    return labels, np.repeat((0.1 + 0.8 * labels)[:, None], VIEWS, axis=1)


def _column(name: str, level: float) -> int:
    places = [(piece.name, value) for piece in SLICES for value in piece.levels]
    return 1 + places.index((name, level))


def test_a_model_that_never_changes_its_mind_breaks_nowhere():
    labels, scores = _scores()
    result = robustness.judge(labels, scores, 0.5)
    assert result.breaks == []
    assert "from: nothing that was tried." in result.sentence
    assert all(lv.p == 1 and lv.mean_change == 0 for c in result.curves for lv in c.levels)


def test_the_mildest_level_of_each_side_is_named():
    labels, scores = _scores()
    for level in (0.25, 0.5, 1.5, 2):
        scores[:20, _column("brightness", level)] = 0.5 - 0.4 * (labels[:20] - 0.5)
    scores[:5, _column("brightness", 1.25)] = 0.5 - 0.4 * (labels[:5] - 0.5)  # p = 0.0625
    result = robustness.judge(labels, scores, 0.5)
    assert [(s.name, lv.level) for s, lv in result.breaks] == [
        ("brightness", 0.5), ("brightness", 1.5)]  # fmt: skip
    assert "brightness × 0.5 (0.900); brightness × 1.5 (0.900)." in result.sentence
    assert result.sentence.endswith("rotation.")
    broken = result.breaks[0][1]
    assert broken.p == pytest.approx(2 * 0.5**20)
    assert broken.recall == broken.specificity == 0.9
    assert broken.ci95["accuracy"] == robustness.wilson(180, 200)
    assert broken.mean_change == pytest.approx(0.06)


def test_a_significant_rise_is_no_break():
    labels, scores = _scores()
    scores[:20, 0] = 0.5 - 0.4 * (labels[:20] - 0.5)
    assert robustness.judge(labels, scores, 0.5).breaks == []


@given(st.integers(0, 30), st.integers(0, 30))
def test_mcnemar_is_the_binomial_test(lost, won):
    p = robustness._mcnemar(lost, won)
    assert p == robustness._mcnemar(won, lost)
    less = stats.binom.cdf(min(lost, won), lost + won, 0.5)
    assert p == pytest.approx(min(1, 2 * less))


def _photos(folder, count):
    photos = []
    for number, pixels in enumerate(golden_pictures(count)):
        Image.fromarray(pixels).save(folder / f"{number}.png")
        photos.append(Photo(folder / f"{number}.png", number % 2))
    return photos


def test_photos_are_decoded_once(tmp_path, monkeypatch):
    photos = _photos(tmp_path, 12)
    read, scored = [], []
    original = image.read
    monkeypatch.setattr(
        robustness.image, "read", lambda path: (read.append(path), original(path))[1]
    )

    def score(pixels):
        scored.append(pixels.shape)
        return pixels.mean(axis=(1, 2, 3)) / 255

    result = robustness.measure(photos, SPEC, score, 0.5)
    assert result.n == 12
    assert sorted(read) == sorted(photo.path for photo in photos)
    assert scored == [(VIEWS, 32, 32, 3)] * 12
    dark = next(c for c in result.curves if c.slice.name == "brightness").levels[0]
    assert dark.mean_shift < -0.1


class _Eager:
    """A pool that is done with a photo as soon as it is handed in."""

    def submit(self, work, photo):
        future: Future = Future()
        future.set_result(work(photo))
        return future


def test_few_photos_wait_for_the_model():
    done = []
    results = robustness._ahead(_Eager(), lambda photo: (done.append(photo), photo)[1], range(50))
    for place, result in enumerate(results):
        assert result == place
        assert len(done) - place <= robustness._AHEAD + 1
    assert done == list(range(50))


def test_json_and_page_carry_every_level(tmp_path):
    labels, scores = _scores(40)
    result = robustness.judge(labels, scores, 0.5)
    values = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert sum(len(curve["levels"]) for curve in values["curves"]) == VIEWS - 1
    from corrosion_edge.metrics import measure
    from corrosion_edge.trainer import plots

    metrics = measure(labels, scores[:, 0], 0.5)
    page = evaluation_page("m", "set", metrics, {"slices": plots.slices(result)}, slices=result)
    assert page.count("<td") > 9 * (VIEWS - 1)
    assert "McNemar" in page
