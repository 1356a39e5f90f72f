"""Scaling by the decoder's library against the reference."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from corrosion_edge import image
from corrosion_edge.frame import Deferred, pixels_of
from corrosion_edge.render import clip

av = pytest.importorskip("av", reason="PyAV is not installed")

from corrosion_edge.device.sources.scaling import EXACT, Scaling  # noqa: E402

SPEC = image.Preprocessing(224, 224)


@pytest.fixture(scope="module")
def picture():
    return next(iter(clip(frames=2, size=(1280, 720))))


def test_a_picture_in_rgb_is_left_to_the_reference(picture):
    for kind in ("rgb24", "bgr0", "gbrp"):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=kind)
        assert Scaling([(224, 224)]).both(frame)[1] == ()


def test_from_yuv_it_is_nearer_to_the_reference_than_half_resolution_colour_would_be(picture):
    yuv = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
    exact = yuv.reformat(format="rgb24", interpolation=0x2 | 0x2000 | 0x40000).to_ndarray()
    reference = image.prepare(exact, SPEC).astype(int)
    plain = yuv.reformat(width=224, height=224, format="rgb24", interpolation="BILINEAR")
    off = np.abs(Scaling([(224, 224)]).both(yuv)[1][0] - reference)
    ours = off.mean()
    assert ours < 0.5
    assert off.max() <= 12
    assert ours < 0.5 * np.abs(plain.to_ndarray() - reference).mean()


@pytest.mark.parametrize(
    ("kind", "matrix", "span", "most"),
    [("yuv420p", 5, 1, 0.35), ("yuv420p", 1, 1, 0.35), ("yuvj422p", 5, 2, 0.75),
     ("yuyv422", 5, 1, 0.35), ("nv12", 5, 1, 0.35), ("yuv420p10le", 1, 1, 0.35)],
)  # fmt: skip
def test_whatever_is_delivered_both_ways_lead_to_the_picture_s_own_rgb(
    picture, kind, matrix, span, most
):
    for rgb, limit in ((picture, most), (patches(), 0.55)):
        frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
            format=kind, dst_colorspace=matrix, dst_color_range=span, interpolation=2 | EXACT
        )
        frame.colorspace, frame.color_range = matrix, span
        whole, (small,) = Scaling([(224, 224)]).both(frame)
        expected = image.prepare(rgb, SPEC).astype(int)
        assert np.abs(small - expected).mean() < limit
        assert np.abs(image.prepare(pixels_of(whole), SPEC) - expected).mean() < limit
    seen = pixels_of(whole)[360, 80::160].astype(int)
    assert np.abs(seen - PATCHES).max() <= 2


PATCHES = [(0, 0, 0), (255, 255, 255), (128, 128, 128), (183, 65, 14), (200, 40, 30), (30, 60, 200),
           (20, 160, 60), (230, 220, 90)]  # fmt: skip


def patches():
    """Fields of known colours side by side."""
    row = np.repeat(np.array(PATCHES, np.uint8), 160, axis=0)
    return np.ascontiguousarray(np.broadcast_to(row, (720, 1280, 3)))


def test_the_full_picture_comes_beside_it(picture):
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
    assert (Scaling([(224, 224)]).both(frame)[0] == picture).all()


def test_from_yuv_it_is_made_when_it_is_asked_for_also_later_and_by_several(picture):
    scaling = Scaling([(224, 224)])
    frames = [av.VideoFrame.from_ndarray(p, format="rgb24") for p in (picture, picture[::-1])]
    whole = [scaling.both(frame.reformat(format="yuv420p"))[0] for frame in frames]
    assert all(isinstance(one, Deferred) and one.size == (1280, 720) for one in whole)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(pixels_of, whole * 8))
    expected = [Scaling().both(frame.reformat(format="yuv420p"))[0] for frame in frames]
    assert all((one == expected[n % 2]).all() for n, one in enumerate(made))


def test_none_where_none_is_wanted_or_it_would_be_enlarged(picture):
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
    assert Scaling().both(frame)[1] == ()
    assert Scaling([(1281, 224)]).both(frame)[1] == ()
    (same,) = Scaling([(1280, 720)]).both(frame)[1]
    assert same.shape == (720, 1280, 3)
    (small,) = Scaling([(1281, 224), (320, 180)]).both(frame)[1]
    assert small.shape == (180, 320, 3)


def test_only_pictures_of_the_size_that_is_judged_are_scaled(picture):
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
    assert Scaling([(224, 224)], (640, 360)).both(frame)[1] == ()
    assert len(Scaling([(224, 224)], (1280, 720)).both(frame)[1]) == 1


def test_each_size_is_made_from_the_picture(picture):
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
    sizes = [(224, 224), (96, 64)]
    made = Scaling(sizes).both(frame)[1]
    for size, one in zip(sizes, made, strict=True):
        assert (one == Scaling([size]).both(frame)[1][0]).all()
