"""What sources scaled is compared with the reference, and given up where it differs."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from corrosion_edge import image
from corrosion_edge.device.capture import Framing, Look
from corrosion_edge.device.capture.parity import LIMIT, Parity, difference
from corrosion_edge.frame import Deferred, Frame
from corrosion_edge.render import surface

SIZES = ((224, 224), (64, 48))


@pytest.fixture(scope="module")
def picture():
    return surface("steel", rust=0.4, seed=2, size=(640, 360))


def frame(picture, *small, camera=""):
    return Frame(picture, 0, datetime.now(UTC), camera=camera, scaled=small)


def reference(picture):
    return [image.prepare(picture, image.Preprocessing(*size)) for size in SIZES]


def lighter(pixels, levels):
    """Each pixel moved by so many levels, whichever way there is room."""
    return np.where(pixels > 127, pixels - levels, pixels + levels).astype(np.uint8)


def test_the_reference_differs_from_itself_by_nothing(picture):
    assert difference(frame(picture, *reference(picture))) == 0
    assert difference(frame(picture)) == 0


def test_the_one_that_differs_most_counts(picture):
    first, second = reference(picture)
    assert difference(frame(picture, first, lighter(second, 7))) == 7
    assert difference(frame(picture, lighter(first, 9), lighter(second, 7))) == 9


def test_within_the_limit_it_is_judged(picture):
    said = []
    near = frame(picture, *(lighter(small, int(LIMIT)) for small in reference(picture)))
    look = Look(Framing(), said.append)
    assert [look(near) for _ in range(9)] == [near] * 9
    assert not said


def test_beyond_it_the_reference_scales_from_then_on_and_that_is_said_once(picture):
    said = []
    first, second = reference(picture)
    far, near = frame(picture, first, second[::-1]), frame(picture, first, second)
    look = Look(Framing(), said.append)
    assert look(far).scaled == ()
    assert look(near).scaled == ()
    assert look(far).scaled == ()
    (sentence,) = said
    assert sentence.startswith("what the source scaled differs from its picture by ")
    assert sentence.endswith(" of 255 levels, limit 4; scaled here from now on")


def test_each_camera_is_believed_or_not_by_itself(picture):
    said = []
    parity = Parity(said.append)
    first, _ = reference(picture)
    assert not parity.checked(frame(picture, first[::-1], camera="gate")).scaled
    assert parity.checked(frame(picture, first, camera="pole")).scaled
    assert [sentence.split(":")[0] for sentence in said] == ["gate"]


def test_it_is_looked_at_ever_more_rarely():
    made = []
    pixels = np.zeros((90, 160, 3), np.uint8)
    parity = Parity(print)
    for index in range(100):
        whole = Deferred((160, 90), lambda index=index: made.append(index) or pixels)
        parity.checked(replace(frame(pixels, pixels[:48, :64]), picture=whole))
    assert [index + 1 for index in made] == [1, 2, 4, 8, 16, 32, 64]


@pytest.mark.parametrize(("resolution", "kept"), [((640, 360), True), ((320, 180), False)])
def test_the_scaled_whole_counts_where_the_picture_comes_in_the_size_asked_for(
    picture, resolution, kept
):
    look = Look(Framing(resolution=resolution), lambda sentence: None)
    assert bool(look(frame(picture, *reference(picture))).scaled) is kept


def test_a_part_of_the_picture_is_never_taken_from_the_scaled_whole(picture):
    look = Look(Framing(rotate=90), print)
    assert look(frame(picture, *reference(picture))).scaled == ()
