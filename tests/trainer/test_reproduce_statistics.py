import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from corrosion_edge import metrics
from corrosion_edge.trainer.reproduce.statistics import (
    Spread,
    judge,
    newcombe,
    prediction,
    wilson,
)

N = 182
COUNTS = st.integers(0, N)
SEEDS = st.lists(COUNTS, min_size=1, max_size=6)


@given(COUNTS)
def test_wilsons_interval_is_scipys(right):
    low, high = stats.binomtest(right, N).proportion_ci(0.95, method="wilson")
    assert wilson(right, N) == pytest.approx((low, high), abs=1e-12)
    assert wilson(right, N) == pytest.approx(metrics.wilson(right, N), abs=1e-12)


def test_wilsons_interval_refuses_more_than_all():
    with pytest.raises(ValueError, match="right"):
        wilson(183, 182)


def test_newcombes_own_example():
    """Newcombe 1998, Table II, example (a), method 10: 56/70 against 48/80."""
    assert newcombe(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@given(COUNTS, COUNTS)
def test_newcombes_interval_changes_its_sign_with_the_order(a, b):
    low, high = newcombe(a, N, b, N)
    back = newcombe(b, N, a, N)
    assert (-high, -low) == pytest.approx(back, abs=1e-12)
    assert low - 1e-12 <= (a - b) / N <= high + 1e-12


def test_the_prediction_interval_covers_one_more_draw():
    """Of normal draws, 95 % of the next ones fall inside; 3 seeds, wide spread."""
    rng = stats.norm(loc=0.5, scale=0.05)
    draws = rng.rvs((4000, 4), random_state=7)
    n = 10**6  # so fine that whole counts do not matter
    inside = 0
    for row in draws:
        low, high = prediction([round(x * n) for x in row[:3]], n)
        inside += low <= row[3] <= high
    assert inside / len(draws) == pytest.approx(0.95, abs=0.012)


def test_a_prediction_needs_two_seeds():
    assert prediction([160], N) is None


def test_equal_counts_are_no_certainty():
    """No spread over three seeds: s is that of rounding, so t s sqrt(4/3) = 1.43 photos."""
    low, high = prediction([164, 164, 164], N)
    half = stats.t.ppf(0.975, 2) / math.sqrt(12) * math.sqrt(4 / 3)
    assert (low * N, high * N) == pytest.approx((164 - half, 164 + half))
    assert 1 < half < 2


def test_spread():
    assert Spread.of([1.0]) == Spread(1, 1.0, None)
    assert Spread.of([1.0, 3.0]).sd == pytest.approx(math.sqrt(2))
    with pytest.raises(ValueError, match="at least one"):
        Spread.of([])


@given(COUNTS, st.integers(1, 6))
def test_the_same_count_always_agrees(right, seeds):
    judged = judge([right] * seeds, N, right / N, N)
    assert judged.verdict == "agrees"
    assert judged.ground == ("seeds" if seeds > 1 else "photos")


@given(SEEDS, COUNTS)
def test_a_difference_needs_both_grounds(rights, published):
    judged = judge(rights, N, published / N, N)
    inside_seeds = judged.seeds is not None and judged.seeds[0] <= published / N <= judged.seeds[1]
    inside_photos = judged.photos[0] <= 0 <= judged.photos[1]
    assert (judged.verdict == "differs") == (not inside_seeds and not inside_photos)
    assert (judged.ground is None) == (judged.verdict == "differs")
    assert judged.ground != "seeds" or inside_seeds


@given(SEEDS, COUNTS, st.integers(1, N))
def test_what_differs_still_differs_further_off(rights, published, step):
    mean = sum(rights) / len(rights)
    further = published + step if published > mean else published - step
    if 0 <= further <= N and judge(rights, N, published / N, N).verdict == "differs":
        assert judge(rights, N, further / N, N).verdict == "differs"


@given(SEEDS, COUNTS)
def test_right_and_wrong_are_alike(rights, published):
    """Counting errors instead of right answers changes no verdict."""
    mirrored = judge([N - right for right in rights], N, (N - published) / N, N)
    judged = judge(rights, N, published / N, N)
    close = min(abs(x) for x in judged.photos) < 1e-9
    if judged.seeds is not None:
        close |= min(abs(x - published / N) for x in judged.seeds) < 1e-9
    assert close or mirrored.verdict == judged.verdict


def test_the_papers_cut_figure_is_the_count_next_to_it():
    """0.8076 is 147/182 = 0.80769 cut, not rounded."""
    assert judge([147, 147], 182, 0.8076, 182).ground == "seeds"


def test_what_a_few_seeds_can_say():
    near, far = judge([169, 170, 171], N, 161 / N, N), judge([169, 170, 171], N, 140 / N, N)
    assert (near.verdict, near.ground) == ("agrees", "photos")
    assert (far.verdict, far.ground) == ("differs", None)
    one = judge([170], N, 140 / N, N)
    assert (one.verdict, one.seeds) == ("differs", None)
    scattered = judge([120, 170], N, 140 / N, N)
    assert (scattered.verdict, scattered.ground) == ("agrees", "seeds")
