"""The mathematics of growth: slopes, their intervals, quarters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corrosion_edge.benchmarks.soak.trend import growth, quarters, slope

NUMBERS = st.floats(-1e3, 1e3)
HOURS = np.linspace(0, 1, 60)

some = settings(deadline=None, max_examples=30)
"""An interval takes a while."""


@some
@given(NUMBERS, NUMBERS, st.integers(10, 400))
def test_a_line_has_its_own_slope(rise, height, count):
    x = np.linspace(0, 2, count)
    found = slope(x, height + rise * x)
    assert found.value == pytest.approx(rise, abs=1e-6)
    assert found.least_squares == pytest.approx(rise, abs=1e-6)
    assert found.low <= found.value <= found.high
    assert found.high - found.low < 1e-6


@some
@given(st.integers(0, 2**32 - 1), NUMBERS)
def test_a_fifth_of_the_points_cannot_carry_the_slope_away(seed, rise):
    draw = np.random.default_rng(seed)
    y = rise * HOURS + draw.normal(0, 0.1, 60)
    plain = slope(HOURS, y).value
    y[draw.choice(60, 12, replace=False)] += draw.uniform(-1e6, 1e6, 12)
    assert slope(HOURS, y).value == pytest.approx(plain, abs=1.0)


@some
@given(st.integers(0, 2**32 - 1), NUMBERS)
def test_a_rise_is_added_and_units_are_kept(seed, rise):
    y = np.random.default_rng(seed).normal(0, 1, 60)
    plain, tilted = slope(HOURS, y), slope(HOURS, y + rise * HOURS)
    assert tilted.value == pytest.approx(plain.value + rise, abs=1e-6)
    assert tilted.high == pytest.approx(plain.high + rise, abs=1e-6)
    assert slope(60 * HOURS, y).value == pytest.approx(plain.value / 60, abs=1e-9)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    draw, held = np.random.default_rng(3), 0
    for _ in range(100):
        noise = np.convolve(draw.normal(0, 1, 124), np.ones(5) / 5, "valid")  # neighbours alike
        found = slope(np.linspace(0, 1, 120), noise + 3 * np.linspace(0, 1, 120))
        held += found.low <= 3 <= found.high
    assert held >= 80  # short series: 95 is the promise for long ones


def test_points_beyond_240_are_gathered():
    x = np.linspace(0, 1, 5000)
    y = 2 * x + np.random.default_rng(1).normal(0, 0.5, 5000)
    assert slope(x, y).value == pytest.approx(2, abs=0.2)


@pytest.mark.parametrize(("x", "y"), [([1.0] * 9, [1.0] * 9), (range(10), range(11)),
                                      ([0.0] * 10, range(10))])  # fmt: skip
def test_what_has_no_slope_is_refused(x, y):
    with pytest.raises(ValueError, match=r"series|x: expected"):
        slope(list(x), list(y))


@given(st.lists(NUMBERS, min_size=4, max_size=200))
def test_quarters_are_the_series(values):
    parts = quarters(values)
    assert [value for part in parts for value in part] == values
    assert all(parts)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@given(st.lists(NUMBERS, min_size=4, max_size=100), NUMBERS)
def test_growth_is_that_of_the_middle(values, more):
    assert growth(values) == pytest.approx(-growth(values[::-1]), abs=1e-6)
    assert growth([value + more for value in values]) == pytest.approx(growth(values), abs=1e-6)


def test_a_step_in_the_middle_is_growth_and_a_peak_is_not():
    assert growth([5] * 50 + [8] * 50) == 3
    assert growth([5] * 90 + [50] * 5 + [5] * 5) == 0


@given(st.lists(st.integers(0, 5), min_size=40, max_size=200), st.integers(1, 9))
def test_the_floor_rises_with_a_leak_whatever_comes_and_goes(extra, leaks):
    places = [leaks * 4 * n // len(extra) for n in range(len(extra))]
    swaying = [20 + more + leaked for more, leaked in zip(extra, places, strict=True)]
    assert growth(swaying, 0) >= 3 * leaks - 5
    assert growth([20 + leaked for leaked in places], 10) == pytest.approx(3 * leaks, abs=1)
