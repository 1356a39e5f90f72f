"""How far a heat map is from the float model's, and the limit on it."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

from corrosion_edge.errors import UsageError
from corrosion_edge.heatmap import FULL_EVIDENCE
from corrosion_edge.prediction import Prediction
from corrosion_edge.quantize.evidence.limits import Limits
from corrosion_edge.quantize.evidence.maps import map_change, with_map
from corrosion_edge.quantize.evidence.sets import Evidence, Scored
from corrosion_edge.trainer.data import Photo
from corrosion_edge.trainer.samples import Samples

CELLS = st.lists(st.floats(-60, 60, width=32), min_size=4, max_size=4)


@given(CELLS, CELLS)
def test_a_change_is_a_share_of_the_strongest_colour(before, after):
    first, second = (np.array(cells, np.float32).reshape(2, 2) for cells in (before, after))
    change = map_change(first, second)
    assert 0 <= change <= 1
    assert change == map_change(second, first)
    assert map_change(first, first) == 0


@given(CELLS)
def test_what_is_not_drawn_does_not_count(cells):
    """Neither what speaks against corrosion, nor how far it is beyond the strongest colour."""
    local = np.array(cells, np.float32)
    drawn = np.where(local > FULL_EVIDENCE, 2 * local, np.where(local < 0, 2 * local, local))
    assert map_change(local, drawn) == 0


def test_cells_that_no_model_colours_do_not_water_it_down():
    before, after = np.full((10, 10), -5.0, np.float32), np.full((10, 10), -5.0, np.float32)
    before[0, 0], after[0, 0] = FULL_EVIDENCE, FULL_EVIDENCE / 4
    assert map_change(before, after) == pytest.approx(0.75)


def _evidence(limits: Limits = Limits()) -> Evidence:  # noqa: B008 - frozen
    labels = np.repeat([0, 1], 50)
    pixels = np.arange(100, dtype=np.uint8)[:, None, None, None].repeat(3, 3)
    photos = tuple(Photo(Path(f"{i}.png"), int(label)) for i, label in enumerate(labels))
    scores = np.where(labels == 1, 0.9, 0.1)
    data = Scored("validation", Samples(pixels, labels, photos), scores, scores)
    return Evidence.of(data, [], 0.5, limits)


def _look(most: float, size: int = 2):
    """Evidence that grows from photo to photo, cut off at ``most``."""

    def look(pixels):
        local = np.full((size, size), min(pixels[0, 0, 0] / 4, most), np.float32)
        return Prediction(0.5, 0.5, local)

    return look


def test_a_map_that_is_cut_off_breaks_its_limit():
    """As the default model's was: no cell above a twelfth of the strongest colour."""
    found = with_map(_evidence(), (_look(30), _look(1.7)))
    assert [check.name for check in found.main.checks][-1] == "map_change"
    assert found.main.checks[-1].n == 64
    (sentence,) = found.broken
    assert sentence.startswith("the heat map changes by 0.")
    assert sentence.endswith("of its strongest colour on average, more than 0.05")


@settings(max_examples=10, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 30))
def test_a_wider_limit_is_never_broken_first(one, other, most):
    verdicts = [
        with_map(_evidence(Limits(map_change=limit)), (_look(30), _look(most))).main.checks[-1].kept
        for limit in sorted((one, other))
    ]
    assert verdicts[0] <= verdicts[1]


def test_a_map_that_follows_keeps_it():
    assert with_map(_evidence(), (_look(30), _look(30))).broken == []


def test_a_model_without_a_map_is_not_judged_by_it():
    blind = lambda pixels: Prediction(0.5, 0.5, None)  # noqa: E731
    evidence = _evidence()
    assert with_map(evidence, (_look(30), blind)) is evidence


def test_maps_of_different_sizes_are_of_different_models():
    with pytest.raises(UsageError, match="a map of 2 x 2 cells, INT8 one of 3 x 3"):
        with_map(_evidence(), (_look(30), _look(30, size=3)))
