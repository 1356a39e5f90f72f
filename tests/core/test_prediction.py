import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corrosion_edge.heatmap import FULL_EVIDENCE, overlay
from corrosion_edge.prediction import CORROSION, NO_CORROSION, Prediction


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_label_follows_the_threshold(score, threshold):
    label = Prediction(score, threshold).label
    assert label == (CORROSION if score >= threshold else NO_CORROSION)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(wrong):
    with pytest.raises(ValueError, match=r"expected a number in \[0, 1\]"):
        Prediction(wrong, 0.5)
    with pytest.raises(ValueError, match=r"expected a number in \[0, 1\]"):
        Prediction(0.5, wrong)


def test_the_overlay_colours_only_where_corrosion_is_likelier_than_not():
    grey = np.full((70, 70, 3), 100, np.uint8)
    heat = np.full((7, 7), -8, np.float32)
    heat[:3, :3] = 8
    shown = overlay(grey, Prediction(0.9, 0.5, heat))
    assert shown.shape == grey.shape
    assert (shown[45:, 45:] == 100).all()
    corner = shown[5:15, 5:15].astype(int)
    assert (corner[..., 0] > corner[..., 2] + 20).all()
    assert (overlay(grey, Prediction(0.1, 0.5, np.full((7, 7), -8, np.float32))) == grey).all()


def test_no_map_no_overlay():
    with pytest.raises(ValueError, match="no heat map"):
        overlay(np.zeros((2, 2, 3), np.uint8), Prediction(0.5, 0.5))


def test_evidence_is_drawn_in_proportion_up_to_the_fixed_top():
    """Twice the log-odds colour more, and beyond the top nothing more."""
    grey = np.full((32, 32, 3), 128, np.uint8)
    changed = []
    for level in (FULL_EVIDENCE / 4, FULL_EVIDENCE / 2, FULL_EVIDENCE, 10 * FULL_EVIDENCE):
        heat = np.full((4, 4), level, np.float32)
        changed.append(int(overlay(grey, Prediction(0.9, 0.5, heat))[16, 16, 2]))
    assert 128 > changed[0] > changed[1]
    assert changed[1] > changed[2] - 60
    assert changed[2] == changed[3]
