import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corrosion_edge.benchmarks.warmup import MAX_RUNS, MAX_SECONDS, WINDOW, is_settled, warm_up


def frozen():
    return 0.0


def test_a_steady_program_is_warm_after_two_windows():
    warm = warm_up(lambda: 1000, clock=frozen)
    assert (warm.runs, warm.settled) == (2 * WINDOW, True)


def test_a_cooling_series_is_waited_for():
    # 20 % faster per run until it reaches its floor after about 21 runs
    series = iter([max(1000, int(100_000 * 0.8**i)) for i in range(MAX_RUNS)])
    warm = warm_up(lambda: next(series), clock=frozen)
    assert warm.settled
    assert 2 * WINDOW + 10 <= warm.runs <= 4 * WINDOW


def test_a_step_late_in_the_series_restarts_nothing_but_a_new_comparison():
    assert not is_settled([1000] * WINDOW + [500] * WINDOW)
    assert is_settled([1000] * WINDOW + [500] * 2 * WINDOW)


def test_one_outlier_per_window_does_not_matter():
    series = itertools.cycle([1000] * (WINDOW - 1) + [50_000])
    assert warm_up(lambda: next(series), clock=frozen).runs == 2 * WINDOW


def test_a_drifting_program_stops_at_the_bound_and_says_so():
    series = (int(1000 * 1.1**i) for i in itertools.count())
    warm = warm_up(lambda: next(series), clock=frozen)
    assert (warm.runs, warm.settled) == (MAX_RUNS, False)


def test_a_slow_program_stops_when_the_time_is_up():
    now = itertools.count(0.0, MAX_SECONDS / 5)
    warm = warm_up(lambda: 1000, clock=lambda: next(now))
    assert not warm.settled
    assert 0 < warm.runs < 10


@given(st.lists(st.integers(950, 999), min_size=WINDOW, max_size=WINDOW))
def test_windows_within_the_tolerance_settle(last):
    assert is_settled([1000] * WINDOW + last)


@pytest.mark.parametrize("length", [0, 1, WINDOW, 2 * WINDOW - 1])
def test_less_than_two_windows_is_never_settled(length):
    assert not is_settled([1000] * length)
