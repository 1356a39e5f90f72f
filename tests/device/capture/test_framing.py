"""Size, rotation, region and tiles: what of a picture is judged, and what is said of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corrosion_edge import image
from corrosion_edge.device.capture import Framing, Look, Region
from corrosion_edge.device.capture.tiles import Tiled
from corrosion_edge.errors import UsageError
from corrosion_edge.frame import Frame
from corrosion_edge.prediction import Prediction

PICTURE = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)


@pytest.mark.parametrize(
    ("degrees", "corner"), [(0, (0, 0)), (90, (5, 0)), (180, (5, 7)), (270, (0, 7))]
)
def test_it_turns_clockwise(degrees, corner):
    turned = Framing(rotate=degrees).apply(PICTURE)
    assert turned.shape == ((6, 8, 3) if degrees % 180 == 0 else (8, 6, 3))
    assert np.array_equal(turned[0, 0], PICTURE[corner])
    assert turned.flags.c_contiguous


def test_the_region_is_of_the_turned_picture():
    framed = Framing(rotate=90, roi=Region(1, 2, 3, 4)).apply(PICTURE)
    assert np.array_equal(framed, np.rot90(PICTURE, -1)[2:6, 1:4])


def test_another_size_is_scaled_by_the_one_scaler():
    picture = np.random.default_rng(1).integers(0, 256, (90, 160, 3), np.uint8)
    expected = image.prepare(picture, image.Preprocessing(40, 30))
    assert np.array_equal(Framing(resolution=(40, 30)).apply(picture), expected)
    assert np.array_equal(Framing(resolution=(160, 90)).apply(picture), picture)


@pytest.mark.parametrize(
    ("text", "part"),
    [("0,0,8,6", (slice(0, 6), slice(0, 8))), ("2,1,3,4", (slice(1, 5), slice(2, 5))),
     ("0.5,0.5,0.5,0.5", (slice(3, 6), slice(4, 8))), ("0,0,1.0,1", (slice(0, 6), slice(0, 8))),
     ("0.7,0,0.3,1", (slice(0, 6), slice(6, 8)))],
)  # fmt: skip
def test_a_region_in_pixels_or_fractions(text, part):
    assert np.array_equal(Region.parse(text).cut(PICTURE), PICTURE[part])


unit = st.floats(0, 1)


@given(left=unit, top=unit, width=unit, height=unit, size=st.tuples(*[st.integers(1, 50)] * 2))
def test_a_fraction_always_holds_a_pixel_of_the_picture(left, top, width, height, size):
    width, height = min(width, 1 - left), min(height, 1 - top)
    if not (width > 0 and height > 0):
        return
    cut = Region(left, top, width, height, fraction=True).cut(np.zeros((*size, 3), np.uint8))
    assert 1 <= cut.shape[0] <= size[0]
    assert 1 <= cut.shape[1] <= size[1]


@pytest.mark.parametrize(
    "text", ["", "1,2,3", "1,2,3,x", "0,0,0,5", "-1,0,5,5", "0.5,0.5,0.6,0.5", "nan,0,1,1",
             "0,0,inf,1."],
)  # fmt: skip
def test_a_region_that_cannot_be_is_refused(text):
    with pytest.raises(UsageError, match="roi"):
        Region.parse(text)


def test_a_region_beyond_the_picture_names_both():
    with pytest.raises(UsageError, match=r"--roi 4,0,5,6: reaches beyond the picture of 8x6"):
        Region.parse("4,0,5,6").cut(PICTURE)


def test_a_picture_larger_than_any_network_is_scaled_too():
    framed = Framing(resolution=(4608, 2)).apply(PICTURE)
    assert framed.shape == (2, 4608, 3)


@pytest.mark.parametrize("how", [{"rotate": 45}, {"resolution": (0, 5)}, {"resolution": (9401, 5)}])
def test_a_framing_that_cannot_be_is_refused(how):
    with pytest.raises(UsageError, match="expected"):
        Framing(**how)


def test_what_the_camera_did_not_do_is_said_once_for_each_size():
    said = []
    look = Look(Framing(resolution=(4, 3)), said.append)
    for pixels in (PICTURE, PICTURE, PICTURE[:3, :4]):
        framed = look(Frame.now(pixels, 5, "a.png", 1.5))
        assert framed.pixels.shape == (3, 4, 3)
        assert (framed.index, framed.name, framed.position) == (5, "a.png", 1.5)
    assert said == ["pictures come as 8x6; scaled here to 4x3"]


class Red:
    """Scores a picture by its mean red; its map is the mean of each quarter."""

    seen = 0
    heat = True

    def classify(self, pixels):
        self.seen += 1
        score = float(pixels[..., 0].mean()) / 255
        heat = np.full((2, 2), score, np.float32) if self.heat else None
        return Prediction(score, 0.5, heat, (0.2, 0.6))


def test_the_worst_tile_counts_and_is_named_and_the_maps_are_stitched():
    picture = np.zeros((31, 47, 3), np.uint8)
    picture[18:29, 20:30, 0] = 255
    red = Red()
    said = Tiled(red, 3, 2).classify(picture)
    assert red.seen == 6
    assert said.tile == (2, 2)
    tile = np.array_split(np.array_split(picture, 2, axis=0)[1], 3, axis=1)[1]
    assert said.score == pytest.approx(tile[..., 0].mean() / 255)
    assert said.band == (0.2, 0.6)
    assert said.heatmap.shape == (4, 6)
    assert said.heatmap.argmax() == 2 * 6 + 2
    assert np.count_nonzero(said.heatmap) == 4
    assert said.to_dict()["tile"] == [2, 2]


@given(st.integers(1, 16), st.integers(1, 16), st.integers(16, 40), st.integers(16, 40))
def test_tiles_cover_every_pixel_once(columns, rows, width, height):
    picture = np.arange(width * height * 3, dtype=np.uint8).reshape(height, width, 3)
    cut = Tiled(Red(), columns, rows)._cut(picture)
    assert [len(row) for row in cut] == [columns] * rows
    assert np.array_equal(np.vstack([np.hstack(row) for row in cut]), picture)


def test_a_model_without_a_map_gives_none():
    red = Red()
    red.heat = False
    assert Tiled(red, 2, 2).classify(PICTURE).heatmap is None


@pytest.mark.parametrize(("columns", "rows"), [(0, 1), (17, 1), (1, 17)])
def test_too_many_or_no_tiles_are_refused(columns, rows):
    with pytest.raises(UsageError, match="tiles: expected 1x1 to 16x16"):
        Tiled(Red(), columns, rows)


def test_more_tiles_than_pixels_are_refused():
    with pytest.raises(UsageError, match=r"--tiles 9x1: the picture has only 8x6 pixels"):
        Tiled(Red(), 9, 1).classify(PICTURE)
