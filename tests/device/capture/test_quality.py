"""Frames on which no verdict is given, and those on which one is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from corrosion_edge import image
from corrosion_edge.device.capture import Gate, Limits, quality
from corrosion_edge.device.capture.quality import SPEC, assess
from corrosion_edge.device.pipeline import Pipeline
from corrosion_edge.device.sources.fake import FakeCamera
from corrosion_edge.device.verdict import Tally, Unusable, Verdict
from corrosion_edge.errors import UsageError
from corrosion_edge.frame import Frame
from corrosion_edge.photos import find_photos
from corrosion_edge.prediction import Prediction
from corrosion_edge.render import clip

LIMITS = Limits()


@pytest.fixture(scope="module")
def scene():
    """A rusted surface, 640 x 480."""
    return list(clip(frames=30, size=(640, 480)))[-1]


def word(pixels, limits=LIMITS):
    return checked(np.asarray(pixels).astype(np.uint8), limits).word


def checked(pixels, limits=LIMITS):
    return Gate(limits).check(image.prepare(pixels, SPEC), pixels.shape[1::-1])


def blurred(pixels, sigma):
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(sigma)))


def test_every_frame_of_the_demo_is_usable():
    assert {word(pixels) for pixels in clip(frames=20, size=(320, 240))} == {"ok"}


def test_each_fault_is_named(scene):
    noise = np.random.default_rng(0).normal(0, 3, scene.shape)
    assert word(scene) == "ok"
    assert word(scene / 8) == "dark"
    assert word(240 + scene / 17) == "bright"
    assert word(np.clip(120 + noise, 0, 255)) == "covered"
    assert word(blurred(scene, 13)) == "blurred"


@pytest.mark.parametrize("picture", [0, 128, 255])
def test_plain_pictures_never_get_a_verdict(picture):
    assert (
        word(np.full((48, 64, 3), picture)) == {0: "dark", 128: "covered", 255: "bright"}[picture]
    )


def test_the_limits_are_the_users(scene):
    assert word(scene, Limits(dark_below=256)) == "dark"
    assert word(scene, Limits(bright_above=0)) == "bright"
    assert word(scene, Limits(covered_below=255)) == "covered"
    assert word(scene, Limits(blurred_below=1e6)) == "blurred"
    never = Limits(dark_below=0, bright_above=256, covered_below=0, blurred_below=0)
    assert word(np.zeros((9, 9, 3)), never) == "ok"


@given(st.integers(2, 9), st.integers(0, 2**32 - 1), st.integers(1, 256))
def test_percentiles_from_counts_are_numpys(side, seed, levels):
    grey = np.random.default_rng(seed).integers(0, levels, (side, side), np.uint8)
    ends = np.percentile(grey, (5, 99))
    counts = np.bincount(grey.ravel(), minlength=256)
    assert quality._percentiles(counts, (5, 99)) == pytest.approx(ends, abs=1e-9)


def test_values_are_those_of_their_definitions():
    grey = np.random.default_rng(3).integers(0, 256, (224, 224), np.uint8)
    small = np.repeat(grey[..., None], 3, axis=2)
    dark = assess(small, Limits(dark_below=256))
    assert dark.value == pytest.approx(np.percentile(grey, 99))
    g = grey.astype(float)
    shifts = {(0, 0): -4, (-1, 0): 1, (1, 0): 1, (0, -1): 1, (0, 1): 1}
    laplacian = sum(k * np.roll(g, shift, (0, 1)) for shift, k in shifts.items())
    sharp = assess(small, Limits(blurred_below=1e9, covered_below=0))
    assert sharp.value == pytest.approx(laplacian[1:-1, 1:-1].var(), rel=1e-5)
    blocks = [g[y : y + 16, x : x + 16].std() for y in range(0, 224, 16) for x in range(0, 224, 16)]
    detail = assess(small, Limits(covered_below=1e9))
    assert detail.value == pytest.approx(np.percentile(blocks, 90), rel=1e-5)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_any_picture_gets_an_answer_and_a_darker_one_stays_dark(width, height, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    found = checked(pixels)
    assert found.word in ("ok", "dark", "bright", "covered", "blurred")
    if found.word == "dark":
        assert word(pixels // 2) == "dark"


def test_a_picture_that_had_to_be_enlarged_is_not_blurred_by_that(scene):
    small = image.prepare(scene, image.Preprocessing(60, 40))
    large = image.prepare(small, image.Preprocessing(640, 480))
    assert word(large) == "blurred"
    assert word(small) == "ok"


@pytest.mark.parametrize("name", Limits.__slots__)
def test_a_limit_that_cannot_be_is_refused(name):
    with pytest.raises(UsageError, match=name):
        Limits(**{name: float("nan")})


class Always:
    seen = 0

    def classify(self, pixels):
        self.seen += 1
        return Prediction(0.75, 0.5)


class Kept:
    def __init__(self):
        self.results = []

    def write(self, result):
        self.results.append(result)


def test_what_is_unusable_gets_no_verdict_and_its_place_in_the_account():
    camera = FakeCamera(["frame", "repeat", "frame"], live=False)
    read, always, sink = camera.read, Always(), Kept()

    def darkened():
        frame = read()
        if frame is not None and frame.index == 1:
            return Frame.now(frame.pixels // 16, 1)
        return frame

    camera.read = darkened
    tally = Pipeline(camera, always, [sink], gate=Gate(LIMITS)).run()
    assert tally == Tally(delivered=3, classified=2, unusable=1)
    assert [type(result) for result in sink.results] == [Verdict, Unusable, Verdict]
    assert sink.results[1].quality.word == "dark"
    assert always.seen == 2


@pytest.mark.photos
def test_real_photos_are_hardly_ever_unusable(shared):
    photos = find_photos(shared / "data" / "corrosion" / "validation").photos
    words = [word(image.read(photo)) for photo in photos]
    assert len(words) > 300
    assert len(words) - words.count("ok") < 0.01 * len(words)
