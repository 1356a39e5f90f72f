from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corrosion_edge.benchmarks.peers.ratio import LEAST, LEVEL, Ratio, ratio

TIMES = st.lists(st.floats(0.1, 1e3), min_size=3, max_size=20)


@given(TIMES, st.floats(0.1, 10))
def test_a_constant_factor_is_found_whatever_the_machine_does_meanwhile(ours, factor):
    found = ratio([factor * time for time in ours], ours)
    assert found.value == pytest.approx(factor)
    assert found.low == pytest.approx(factor)
    assert found.high == pytest.approx(factor)


@given(TIMES, st.randoms())
def test_the_interval_holds_the_median_and_lies_within_the_rounds(ours, random):
    theirs = [time * random.uniform(0.5, 2) for time in ours]
    found = ratio(theirs, ours)
    ratios = [a / b for a, b in zip(theirs, ours, strict=True)]
    assert min(ratios) <= found.low <= found.value <= found.high <= max(ratios)
    assert found == ratio(theirs, ours)


def test_more_rounds_tell_more():
    few, many = ([1.0, 1.1, 1.2, 1.3, 1.4] * times for times in (1, 20))
    wide, narrow = ratio(few, [1.0] * len(few)), ratio(many, [1.0] * len(many))
    assert wide.value == narrow.value == pytest.approx(1.2)
    assert wide.high - wide.low > narrow.high - narrow.low


def test_a_verdict_needs_the_whole_interval_on_one_side():
    assert Ratio(1.2, 1.01, 1.3, 6).verdict == "slower"
    assert Ratio(0.8, 0.7, 0.99, 6).verdict == "faster"
    assert Ratio(0.8, 0.7, 1.0, 6).verdict == "alike"
    assert str(Ratio(1.234, 1.0, 2.0, 6)) == "1.23 (1.00 to 2.00)"


def test_few_rounds_give_a_range_and_no_verdict():
    for rounds in range(1, LEAST):
        found = ratio([0.5 + 0.01 * n for n in range(rounds)], [1.0] * rounds)
        assert found.verdict == "alike"
        assert f"(range of {rounds}: 0.50 to" in str(found)
    assert ratio([0.5] * LEAST, [1.0] * LEAST).verdict == "faster"
    assert Ratio(1.2, 1.1, 1.3, LEAST - 1).verdict == "alike"


@pytest.mark.parametrize("rounds", [6, 7, 8, 9, 12, 15, 40, 1000])
def test_the_interval_holds_the_true_median_as_often_as_it_says(rounds):
    """By counting: each ratio lies above the true median with probability a half."""
    found = ratio([float(n + 1) for n in range(rounds)], [1.0] * rounds)
    outside = round(found.low) - 1
    assert round(found.high) == rounds - outside

    def covers(left: int) -> float:
        return 1 - 2 * sum(comb(rounds, k) for k in range(left + 1)) / 2**rounds

    assert covers(outside) >= LEVEL > covers(outside + 1)


@pytest.mark.parametrize(
    ("theirs", "ours"), [([], []), ([1.0], [1.0, 2.0]), ([0.0], [1.0]), ([1.0], [-1.0])]
)
def test_what_are_no_rounds_is_refused(theirs, ours):
    with pytest.raises(ValueError, match="expected"):
        ratio(theirs, ours)


def test_a_ratio_outside_its_interval_is_refused():
    with pytest.raises(ValueError, match="low <= value"):
        Ratio(1.0, 1.1, 1.2, 6)
