import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corrosion_edge.benchmarks.coverage import coverage
from corrosion_edge.benchmarks.ratios import percentile_ratio, resampled

SAMPLES = st.lists(st.integers(1_000_000, 9_000_000), min_size=1, max_size=20)
ROUNDS = st.lists(SAMPLES, min_size=1, max_size=5)

some = settings(deadline=None, max_examples=50)


@some
@given(ROUNDS, ROUNDS)
def test_the_ratio_is_that_of_the_pooled_medians(one, other):
    found = percentile_ratio(one, other, draws=50)
    pooled = [np.median(np.concatenate(rounds)) for rounds in (one, other)]
    assert found.value == pytest.approx(pooled[0] / pooled[1])
    if min(len(one), len(other)) < 2:
        assert found.interval is found.differs is None
    else:
        assert 0 < found.interval[0] <= found.interval[1]


@some
@given(ROUNDS, ROUNDS, st.integers(2, 9))
def test_what_takes_longer_by_a_factor_has_a_ratio_and_interval_larger_by_it(one, other, factor):
    found = percentile_ratio(one, other, draws=50)
    slower = percentile_ratio([[factor * ns for ns in part] for part in one], other, draws=50)
    assert slower.value == pytest.approx(factor * found.value)
    assert [*(slower.interval or ())] == pytest.approx([factor * x for x in found.interval or ()])


@some
@given(ROUNDS)
def test_a_median_drawn_anew_lies_among_the_samples(rounds):
    drawn = resampled(rounds, 20, np.random.default_rng(0))
    samples = np.concatenate(rounds)
    assert drawn.shape == (20,)
    assert samples.min() <= drawn.min() <= drawn.max() <= samples.max()


def test_the_same_samples_give_the_same_interval():
    rounds = [[1, 2, 3], [2, 3, 4], [5, 6, 7]]
    found = percentile_ratio(rounds, rounds, draws=30)
    assert found == percentile_ratio(rounds, rounds, draws=30)
    assert any(found != percentile_ratio(rounds, rounds, draws=30, seed=seed) for seed in range(9))


def test_processes_are_what_is_drawn_and_not_single_runs():
    """Ten thousand runs say nothing of a third process, if the two there were differ twofold."""
    rounds = [[1_000_000] * 5000, [2_000_000] * 5000]
    found = percentile_ratio(rounds, [[1_000_000] * 10] * 2, draws=500)
    assert found.interval == (1.0, 2.0)
    assert not found.differs


def test_a_difference_beyond_the_spread_is_one():
    one = [[102, 101, 103, 102]] * 5
    found = percentile_ratio(one, [[80, 81, 82, 80]] * 5, draws=500)
    assert found.differs
    assert found.interval[0] > 1.2


def test_a_tail_is_compared_by_itself():
    one = [[100] * 90 + [200] * 10] * 5
    other = [[100] * 100] * 5
    assert percentile_ratio(one, other, draws=50).value == 1.0
    found = percentile_ratio(one, other, 99, draws=50)
    assert (found.value, found.interval) == (2.0, (2.0, 2.0))


@pytest.mark.parametrize("rounds", [[], [[]], [[1], []]])
def test_no_samples_are_refused(rounds):
    with pytest.raises(ValueError, match="expected one or more"):
        percentile_ratio(rounds, [[1]])


def test_ten_processes_hold_the_truth_about_as_often_as_they_say():
    assert 0.85 <= coverage(10, 50, 0.03, 0.02, 60) <= 1.0
