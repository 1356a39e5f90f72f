from datetime import UTC, datetime

import numpy as np
import pytest

from corrosion_edge.frame import Deferred, Frame, pixels_of

PIXELS = np.zeros((2, 3, 3), np.uint8)


def test_frames_validate():
    pixels = np.zeros((2, 3, 3), np.uint8)
    now = datetime.now(UTC)
    for wrong in (pixels[..., 0], pixels.astype(float)):
        with pytest.raises(ValueError, match="expected uint8"):
            Frame(wrong, 0, now)
    with pytest.raises(ValueError, match="index"):
        Frame(pixels, -1, now)
    with pytest.raises(ValueError, match="time zone"):
        Frame(pixels, 0, datetime(2026, 1, 1))


def test_a_deferred_picture_is_made_once_and_only_when_it_is_asked_for():
    made = []
    deferred = Deferred((3, 2), lambda: made.append(1) or PIXELS)
    frame = Frame(deferred, 0, datetime.now(UTC))
    assert frame.size == (3, 2) == Frame(PIXELS, 0, datetime.now(UTC)).size
    assert not made
    assert frame.pixels is frame.pixels is pixels_of(deferred) is PIXELS
    assert made == [1]


@pytest.mark.parametrize("wrong", [PIXELS[..., 0], PIXELS.astype(float), PIXELS[:1]])
def test_a_deferred_picture_has_to_be_what_it_promised(wrong):
    frame = Frame(Deferred((3, 2), lambda: wrong), 0, datetime.now(UTC))
    with pytest.raises(ValueError, match="expected"):
        _ = frame.pixels
