"""The statistics of paired scores, and what limits make of them."""

import math
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corrosion_edge.errors import DataError
from corrosion_edge.quantize.drift import (
    Comparison,
    DriftReport,
    Limits,
    compare,
    compare_further,
    log_odds_changes,
)
from corrosion_edge.quantize.evidence.limits import SURE_OF_LARGEST, Check, judge, judge_largest
from corrosion_edge.quantize.evidence.paired import (
    accuracy_drop_interval,
    auc_drop_interval,
    exact_interval,
    mcnemar,
    mean_change_interval,
    rate_drop_interval,
)

ANY = Limits.none()
LEVELS = st.integers(0, 20).map(lambda level: level / 20)


@st.composite
def pairs(draw, least=3):
    """Labels of both classes, and two models' scores with ties."""
    sizes = [draw(st.integers(least, 15)) for _ in range(2)]
    labels = np.repeat([0, 1], sizes)
    both = [np.array(draw(st.lists(LEVELS, min_size=len(labels), max_size=len(labels))))
            for _ in range(2)]  # fmt: skip
    return labels, *both


@settings(max_examples=30, deadline=None)
@given(pairs())
def test_identical_models_differ_in_nothing(pair):
    labels, scores, _ = pair
    report = compare(labels, scores, scores, 0.5, ANY, intervals=False)
    for name in ("mean_change", "p99_change", "largest_change", "mean_signed_change",
                 "mean_signed_log_odds", "corrosion_missed", "corrosion_added", "accuracy_drop",
                 "auc_drop", "false_alarm_rise"):  # fmt: skip
        assert getattr(report, name) == 0, name
    assert report.agreement == report.mcnemar.p == 1


@settings(max_examples=30, deadline=None)
@given(pairs())
def test_swapping_the_models_turns_the_signs(pair):
    labels, before, after = pair
    one = compare(labels, before, after, 0.5, ANY, intervals=False)
    other = compare(labels, after, before, 0.5, ANY, intervals=False)
    for name in ("accuracy_drop", "auc_drop", "mean_signed_change", "mean_signed_log_odds",
                 "false_alarm_rise"):  # fmt: skip
        assert getattr(one, name) == pytest.approx(-getattr(other, name)), name
    for name in ("agreement", "mean_change", "p99_change", "largest_change"):
        assert getattr(one, name) == pytest.approx(getattr(other, name)), name
    assert one.mcnemar.p == pytest.approx(other.mcnemar.p)
    assert (one.mcnemar.lost, one.mcnemar.won) == (other.mcnemar.won, other.mcnemar.lost)
    for label, flips in one.flips.items():
        assert (flips.missed, flips.added) == (other.flips[label].added, other.flips[label].missed)


@settings(max_examples=30, deadline=None)
@given(pairs())
def test_counts_fit_each_other(pair):
    labels, before, after = pair
    report = compare(labels, before, after, 0.5, ANY, intervals=False)
    turned = report.corrosion_missed + report.corrosion_added
    assert report.agreement == pytest.approx(1 - turned / report.n)
    assert report.mcnemar.lost + report.mcnemar.won == turned
    drop = (report.mcnemar.lost - report.mcnemar.won) / report.n
    assert report.accuracy_drop == pytest.approx(drop)
    clean, corroded = report.flips["no-corrosion"], report.flips["corrosion"]
    assert report.false_alarms[1] - report.false_alarms[0] == clean.added - clean.missed
    assert report.missed[1] - report.missed[0] == corroded.missed - corroded.added
    assert report.mean_change <= report.p99_change + 1e-9 or report.n < 100
    assert report.p99_change <= report.largest_change


@given(st.integers(0, 30), st.integers(0, 30))
def test_mcnemar_by_hand(lost, won):
    """Twice the tail of Binomial(lost + won, 1/2), at most 1."""
    before = np.repeat([True, False, True], [lost, won, 5])
    after = np.repeat([False, True, True], [lost, won, 5])
    n = lost + won
    tail = sum(math.comb(n, k) for k in range(min(lost, won) + 1)) / 2**n
    found = mcnemar(before, after)
    assert (found.lost, found.won) == (lost, won)
    assert found.p == pytest.approx(min(1, 2 * tail))


@settings(max_examples=15, deadline=None)
@given(pairs(), st.floats(0.1, 0.9))
def test_bootstrap_intervals_hold_the_value(pair, threshold):
    labels, before, after = pair
    report = compare(labels, before, after, threshold, ANY)
    for name in ("accuracy_drop", "auc_drop", "mean_change", "agreement"):
        low, high = report.ci95[name]
        assert low - 1e-9 <= getattr(report, name) <= high + 1e-9, name


@settings(max_examples=10, deadline=None)
@given(pairs())
def test_swapping_the_models_mirrors_the_intervals(pair):
    """The same photos are resampled for both models, so the mirror image is exact."""
    labels, before, after = pair
    low, high = auc_drop_interval(labels, before, after)
    assert auc_drop_interval(labels, after, before) == pytest.approx((-high, -low), abs=1e-9)
    right, right_after = ((s >= 0.5) == (labels == 1) for s in (before, after))
    low, high = accuracy_drop_interval(labels, right, right_after)
    mirrored = accuracy_drop_interval(labels, right_after, right)
    assert mirrored == pytest.approx((-high, -low), abs=1e-9)


def test_pairing_makes_the_interval_narrow():
    """The same small loss on strongly varying photos: unpaired intervals would be far wider."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 100)
    before = np.clip(rng.normal(0.3 + 0.4 * labels, 0.25), 0, 1)
    after = np.clip(before + rng.normal(0, 0.01, 200), 0, 1)
    report = compare(labels, before, after, 0.5, ANY)
    low, high = report.ci95["auc_drop"]
    alone = report.reference.ci95["auc"]
    assert 0 < high - low < (alone[1] - alone[0]) / 5


def test_nothing_seen_is_not_certainty():
    """Where no resample differs the interval is as wide as the rule of three."""
    labels = np.repeat([0, 1], [30, 60])
    scores = np.where(labels == 1, 0.9, 0.1)
    right = np.ones(90, bool)
    assert accuracy_drop_interval(labels, right, right) == pytest.approx((-3 / 90, 3 / 90))
    assert auc_drop_interval(labels, scores, scores) == pytest.approx((-0.15, 0.15))
    assert mean_change_interval(labels, np.zeros(90)) == pytest.approx((0, 3 / 90))


def test_one_photo_of_a_class_says_nothing():
    labels = np.array([1, 0, 0, 0])
    scores = np.array([0.9, 0.1, 0.2, 0.3])
    assert auc_drop_interval(labels, scores, scores) == (-1, 1)


@pytest.mark.parametrize(
    ("lost", "won", "n", "low", "high"),
    [
        # d = (lost - won) / (n + 2), half = 1.959964 sqrt((a + b - d^2) / (n + 2)), by hand
        (0, 0, 98, -0.0277, 0.0277),
        (9, 4, 98, -0.0253, 0.1253),
        (10, 0, 10, 0.5206, 1.0),
    ],
)
def test_bonett_and_prices_interval_by_hand(lost, won, n, low, high):
    assert rate_drop_interval(lost, won, n) == pytest.approx((low, high), abs=5e-5)


def test_the_exact_interval_is_clopper_and_pearsons():
    """For n of n the lower end is 0.025 ** (1 / n)."""
    assert exact_interval(50, 50) == pytest.approx((0.025 ** (1 / 50), 1))


def test_log_odds_that_int8_cannot_hold_are_no_change():
    before = np.array([0.0001, 0.9999, 0.5])
    after = np.array([0, 255 / 256, 0.5])
    assert log_odds_changes(before, after) == pytest.approx(np.zeros(3))


@pytest.mark.parametrize("name", [f.name for f in fields(Limits) if f.name != "map_change"])
@settings(max_examples=10, deadline=None)
@given(pairs(), st.floats(0, 1), st.floats(0, 1))
def test_a_wider_limit_is_never_broken_first(name, pair, one, other):
    """Of those on scores; ``test_map_drift`` has the one on maps."""
    labels, before, after = pair
    narrow, wide = sorted((one, other), reverse=name == "agreement")
    make = compare_further if name == "false_alarm_rise" else compare
    verdicts = []
    for value in (narrow, wide):
        report = make(labels, before, after, 0.5, Limits(**{name: value}), intervals=False)
        verdicts.append(next(check.kept for check in report.checks if check.name == name))
    assert verdicts[0] <= verdicts[1]


@pytest.mark.parametrize(
    ("name", "value", "limit", "ci95", "verdict"),
    [
        ("auc_drop", 0.001, 0.005, (-0.001, 0.004), "kept"),
        ("auc_drop", 0.001, 0.005, (-0.001, 0.006), "kept, but 90 photos cannot tell"),
        ("auc_drop", 0.009, 0.005, (0.004, 0.02), "broken, though 90 photos cannot tell"),
        ("auc_drop", 0.009, 0.005, (0.006, 0.02), "broken"),
        ("agreement", 0.995, 0.99, (0.991, 0.999), "kept"),
        ("agreement", 0.995, 0.99, (0.97, 0.999), "kept, but 90 photos cannot tell"),
        ("agreement", 0.985, 0.99, (0.97, 0.999), "broken, though 90 photos cannot tell"),
        ("agreement", 0.95, 0.99, (0.91, 0.98), "broken"),
        ("agreement", 0.95, 0.99, None, "broken"),
    ],
)
def test_a_limit_says_whether_the_photos_can_tell(name, value, limit, ci95, verdict):
    check = judge(Limits(**{name: limit}), name, value, 90, ci95)
    assert check.verdict == verdict
    assert check.kept == verdict.startswith("kept")


def test_the_largest_change_needs_photos_to_be_kept_but_one_to_be_broken():
    """299 is the least n with 1 - 0.99 ** n >= 0.95 (Wilks 1941)."""
    assert 1 - 0.99**SURE_OF_LARGEST >= 0.95 > 1 - 0.99 ** (SURE_OF_LARGEST - 1)
    limits = Limits(largest_change=0.25)
    assert judge_largest(limits, 0.2, SURE_OF_LARGEST).verdict == "kept"
    assert judge_largest(limits, 0.2, 298).verdict == "kept, but 298 photos cannot tell"
    assert judge_largest(limits, 0.3, 5).verdict == "broken"


def test_a_value_on_the_limit_keeps_it():
    assert judge(Limits(accuracy_drop=0.01), "accuracy_drop", 0.97 - 0.96, 100).kept
    with pytest.raises(ValueError, match="name: expected one of"):
        Check(name="speed", value=0, limit=0, n=1)


def test_many_photos_can_tell_and_few_cannot():
    rng = np.random.default_rng(1)
    for each, certain in ((2000, True), (20, False)):
        labels = np.repeat([0, 1], each)
        before = np.clip(rng.normal(0.1 + 0.8 * labels, 0.15), 0, 1)
        after = np.clip(before + rng.normal(0, 0.003, 2 * each), 0, 1)
        report = compare(labels, before, after, 0.5, Limits())
        assert report.broken == []
        assert {check.certain for check in report.checks} >= {certain}
        assert all(check.certain for check in report.checks) == certain


def test_the_cheap_comparison_finds_the_same_figures():
    rng = np.random.default_rng(2)
    labels = np.repeat([0, 1], 40)
    before, after = np.clip(rng.normal(0.2 + 0.6 * labels, 0.3, (2, 80)), 0, 1)
    full = compare(labels, before, after, 0.5, Limits())
    cheap = compare(labels, before, after, 0.5, Limits(), intervals=False)
    assert (full.broken, full.flips, full.mcnemar) == (cheap.broken, cheap.flips, cheap.mcnemar)
    assert full.ci95 and full.reference.ci95
    assert not cheap.ci95 and not cheap.reference.ci95
    assert {check.certain for check in cheap.checks} == {None}


def test_clean_photos_have_false_alarms_but_no_accuracy():
    before, after = np.array([0.1, 0.2, 0.6, 0.3]), np.array([0.7, 0.8, 0.2, 0.4])
    report = compare_further(np.zeros(4, np.int64), before, after, 0.5, Limits())
    assert type(report) is Comparison
    assert report.false_alarms == (1, 2)
    assert report.false_alarm_rise == 0.25
    assert [check.name for check in report.checks] == ["false_alarm_rise"]
    assert report.broken == ["false alarms rise by 0.2500, more than 0.05"]
    assert report.checks[0].certain is False
    with pytest.raises(DataError):
        compare(np.zeros(4, np.int64), before, after, 0.5, Limits())


def test_corroded_photos_alone_have_no_false_alarms_to_limit():
    scores = np.array([0.4, 0.9])
    report = compare_further(np.ones(2, np.int64), scores, scores, 0.5, Limits())
    assert report.checks == ()
    assert (report.false_alarms, report.missed, report.false_alarm_rise) == ((0, 0), (1, 1), 0)


def test_further_photos_of_both_classes_have_figures_too():
    labels = np.repeat([0, 1], 5)
    scores = np.linspace(0, 1, 10)
    report = compare_further(labels, scores, scores, 0.5, Limits())
    assert isinstance(report, DriftReport)
    assert report.accuracy_drop == 0


@pytest.mark.parametrize(
    "scores", [np.array([0.1, 1.1]), np.array([0.1, np.nan]), np.array([0.1]), np.array([])]
)
def test_what_is_no_score_is_refused(scores):
    labels = np.array([0, 1])[: len(scores)] if len(scores) != 1 else np.array([0, 1])
    with pytest.raises(ValueError, match=r"expected (probabilities|labels)"):
        compare_further(labels, scores, scores, 0.5, Limits())
