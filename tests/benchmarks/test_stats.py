import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corrosion_edge.benchmarks.stats import Statistics, percentile

DURATIONS = st.lists(st.integers(1, 10**12), min_size=1, max_size=200)


@given(DURATIONS, st.floats(0, 100))
def test_percentiles_are_numpys(values, percent):
    assert percentile(values, percent) == pytest.approx(np.percentile(values, percent), rel=1e-9)


@given(DURATIONS)
def test_the_statistics_are_ordered_and_agree_with_numpy(values):
    s = Statistics.of(values)
    points = [s.minimum, s.p50, s.p90, s.p95, s.p99, s.maximum]
    assert points == sorted(points)
    assert s.n == len(values)
    assert (s.minimum, s.maximum) == (min(values) / 1e6, max(values) / 1e6)
    assert s.p50 == pytest.approx(np.median(values) / 1e6)
    assert s.mean == pytest.approx(np.mean(values) / 1e6)
    assert s.per_second * s.mean == pytest.approx(1000)


@given(DURATIONS)
def test_the_order_of_the_samples_does_not_matter(values):
    assert Statistics.of(values) == Statistics.of(sorted(values))


def test_units():
    assert Statistics.of([4_000_000]).p50 == 4.0  # ms
    assert Statistics.of([4_000_000]).per_second == 250.0


@pytest.mark.parametrize("values", [[], [0], [5, -1]])
def test_no_samples_or_no_durations_are_refused(values):
    with pytest.raises(ValueError, match="expected one or more"):
        Statistics.of(values)


@pytest.mark.parametrize("percent", [-1, 100.5])
def test_a_percentile_outside_its_range_is_refused(percent):
    with pytest.raises(ValueError, match="0 to 100"):
        percentile([1], percent)
