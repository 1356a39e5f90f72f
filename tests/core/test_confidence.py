import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corrosion_edge.calibration import (
    TEMPERATURES,
    calibration_bins,
    ece_if_calibrated,
    expected_calibration_error,
    fit_temperature,
    log_odds,
    rescaled,
)
from corrosion_edge.confidence import (
    Confidence,
    assess,
    lower_threshold,
    reassess,
    upper_threshold,
)
from corrosion_edge.errors import UsageError
from corrosion_edge.metrics import measure
from corrosion_edge.threshold import chosen

STEPS = st.lists(st.integers(0, 256), min_size=1, max_size=60).map(lambda x: np.array(x) / 256)
SHARES = st.floats(0.001, 0.5, allow_subnormal=False)


def _drawn(n: int, stretch: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels and log-odds: the true ones, times ``stretch``."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(0, 3, n)
    labels = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(np.int64)
    return labels, odds * stretch


@pytest.mark.parametrize("stretch", [0.4, 1.0, 2.5])
def test_the_temperature_undoes_what_was_stretched(stretch):
    labels, odds = _drawn(20_000, stretch)
    assert fit_temperature(odds, labels) == pytest.approx(stretch, rel=0.05)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.5, 2), st.integers(0, 1000))
def test_the_temperature_scales_with_the_log_odds(factor, seed):
    labels, odds = _drawn(200, seed=seed)
    once, more = fit_temperature(odds, labels), fit_temperature(odds * factor, labels)
    assert more == pytest.approx(once * factor, rel=1e-3)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([0.3, 0.9, 1.1, 3]))
def test_no_other_temperature_has_less_log_loss(seed, factor):
    labels, odds = _drawn(100, 2.0, seed)
    best = fit_temperature(odds, labels)

    def loss(t):
        return np.mean(np.logaddexp(0, odds / t) - labels * odds / t)

    assert loss(best) <= loss(best * factor) + 1e-9


def test_separable_photos_give_no_boundless_confidence():
    labels = np.repeat([0, 1], 50)
    odds = np.where(labels == 1, 2.0, -2.0)
    coldest, hottest = TEMPERATURES
    temperature = fit_temperature(odds, labels)
    assert coldest < temperature < hottest
    p = 1 / (1 + np.exp(-2 / temperature))
    assert p == pytest.approx(51 / 52, abs=1e-3)  # Platt's target for 50 photos of a class
    assert fit_temperature(-odds, labels) == pytest.approx(hottest, rel=1e-4)
    assert fit_temperature(0 * odds, labels) == 1


@pytest.mark.parametrize(
    ("odds", "labels"), [([1, np.inf], [0, 1]), ([1, np.nan], [0, 1]), ([1, 2], [1, 1])]
)
def test_what_no_temperature_fits_is_refused(odds, labels):
    with pytest.raises(ValueError, match="finite log-odds"):
        fit_temperature(np.array(odds, float), np.array(labels))


@given(STEPS, st.floats(0.4, 5))
def test_rescaling_can_be_undone(scores, temperature):
    kept = scores[(scores > 0.01) & (scores < 0.99)]
    assert rescaled(rescaled(kept, temperature), 1 / temperature) == pytest.approx(kept, abs=1e-5)
    assert np.isfinite(log_odds(scores)).all()


@given(STEPS, st.integers(1, 20), st.randoms(use_true_random=False))
def test_equal_scores_share_a_bin_whatever_the_order(scores, bins, random):
    places = calibration_bins(scores, bins)
    assert (places >= 0).all()
    assert (places < bins).all()
    order = list(range(len(scores)))
    random.shuffle(order)
    assert (calibration_bins(scores[order], bins) == places[order]).all()
    rising = np.argsort(scores)
    assert (np.diff(places[rising]) >= 0).all()
    for score in set(scores.tolist()):
        assert len(set(places[scores == score].tolist())) == 1


def test_bins_of_equal_mass():
    places = calibration_bins(np.random.default_rng(0).random(150))
    assert np.bincount(places).tolist() == [10] * 15


@given(STEPS, st.data())
def test_the_calibration_error_is_a_fraction_and_symmetric(scores, data):
    n = len(scores)
    labels = np.array(data.draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    error = expected_calibration_error(labels, scores)
    assert 0 <= error <= 1
    assert error >= abs(labels.mean() - scores.mean()) - 1e-12  # one bin: never more
    assert error <= np.abs(labels - scores).mean() + 1e-12  # a bin a photo: never less


def test_the_calibration_error_of_known_scores():
    scores = np.repeat([0.2, 0.9], 10)
    labels = np.repeat([0, 1, 0, 1], [6, 4, 1, 9])  # 0.4 against 0.2; 0.9 against 0.9
    assert expected_calibration_error(labels, scores) == pytest.approx(0.1)


def test_perfect_scores_stay_below_the_bound_as_often_as_it_says():
    rng = np.random.default_rng(1)
    below = []
    for _ in range(300):
        scores = rng.beta(0.4, 0.4, 100)
        labels = (rng.random(100) < scores).astype(np.int64)
        bound = ece_if_calibrated(scores, draws=200)
        below.append(expected_calibration_error(labels, scores) <= bound)
    assert 0.90 < np.mean(below) < 0.99
    assert ece_if_calibrated(scores) == ece_if_calibrated(scores)


@given(STEPS, SHARES, SHARES)
def test_a_higher_recall_never_raises_the_threshold(scores, one, other):
    less, more = sorted((one, other))
    assert lower_threshold(scores, less) <= lower_threshold(scores, more)
    assert upper_threshold(scores, less) >= upper_threshold(scores, more)


@given(STEPS, SHARES)
def test_the_threshold_is_a_score_and_leaves_few_below(scores, share):
    threshold = lower_threshold(scores, share)
    assert threshold in {0.0, *scores.tolist()}
    assert np.sum(scores < threshold) <= share * (len(scores) + 1)
    assert upper_threshold(1 - scores, share) == 1 - threshold  # steps of 1/256 are exact


@pytest.mark.parametrize(
    ("n", "share", "k"), [(48, 0.02, 0), (49, 0.02, 1), (198, 1 - 0.98, 3), (9, 1 - 0.9, 1)]
)
def test_the_rank_of_the_threshold(n, share, k):
    scores = np.arange(1, n + 1) / (n + 1)
    assert lower_threshold(scores, share) == (scores[k - 1] if k else 0)


@pytest.mark.parametrize("steps", [0, 20], ids=["continuous", "ties"])
@pytest.mark.parametrize("n", [20, 99, 150])
def test_the_promised_recall_is_kept_on_average(n, steps):
    """20,000 draws of n + 1 exchangeable scores: the last is missed at most as often as said."""
    rng = np.random.default_rng(n)
    drawn = rng.beta(4, 1, (20_000, n + 1))
    drawn = np.round(drawn * steps) / steps if steps else drawn
    for share in (0.02, 0.1):
        missed = np.mean([row[-1] < lower_threshold(row[:-1], share) for row in drawn])
        error = 3 * np.sqrt(share / 20_000)
        assert missed <= share + error
        if not steps:  # and not more careful than it must be
            assert missed == pytest.approx(int(share * (n + 1) + 1e-9) / (n + 1), abs=error)


def _two_classes(n: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    return labels, np.where(labels == 1, rng.beta(3, 1, n), rng.beta(1, 3, n))


def test_threshold_and_band_hold_on_new_photos():
    shares = []
    for seed in range(200):
        found = assess(*_two_classes(200, seed), recall=0.9, alpha=0.05)
        labels, scores = _two_classes(2000, 1000 + seed)
        m = measure_lightly(labels, scores, found)
        shares.append(m)
    missed, below, above = np.mean(shares, axis=0)
    assert missed <= 0.1 + 0.01
    assert below <= 0.05 + 0.01
    assert above <= 0.05 + 0.01
    assert min(missed, below, above) > 0.03


def measure_lightly(labels, scores, found: Confidence) -> list[float]:
    low, high = found.unsure or (0, 1)
    corroded, clean = scores[labels == 1], scores[labels == 0]
    limits = (corroded < found.recall_threshold, corroded < low, clean > high)
    return [float(np.mean(part)) for part in limits]


def test_the_figures_at_the_recall_threshold_and_outside_the_band():
    labels, scores = _two_classes(100)
    found = dataclasses.replace(assess(labels, scores), recall_threshold=0.3, unsure=(0.3, 0.8))
    m = measure(labels, scores, 0.5, found)
    again = measure(labels, scores, 0.3)
    assert m.at_recall is not None
    assert m.at_recall.recall == again.recall
    assert m.at_recall.precision == again.precision
    assert m.at_recall.specificity == again.specificity
    assert m.at_recall.false_alarms == again.confusion.false_positive
    assert m.at_recall.missed == again.confusion.false_negative
    sure = (scores < 0.3) | (scores > 0.8)
    assert m.abstain is not None
    assert m.abstain.decided == sure.sum()
    assert m.abstain.share == pytest.approx(1 - sure.mean())
    assert m.abstain.accuracy == pytest.approx(((scores > 0.5) == labels)[sure].mean())
    assert measure(labels, scores, 0.5).at_recall is None


def test_classes_that_are_far_apart_leave_nothing_unsure():
    labels = np.repeat([0, 1], 100)
    found = assess(labels, np.where(labels == 1, 0.9, 0.1))
    assert found.unsure is None
    assert measure(labels, labels * 0.8, 0.5, found).abstain is None


def test_too_few_photos_are_said():
    found = assess(*_two_classes(40))
    assert found.recall_threshold == 0
    assert found.unsure == (0, 1)
    assert found.remark == (
        "20 corroded validation photos are too few for a recall of 0.98: 49 are needed, and the "
        "threshold is 0"
    )
    assert assess(*_two_classes(98)).remark == ""


def test_another_models_scores_keep_the_temperature():
    labels, scores = _two_classes()
    first = assess(labels, scores, temperature=1.4, uncalibrated=scores**2, recall=0.9, alpha=0.1)
    second = reassess(first, labels, scores / 2)
    assert second.temperature == 1.4
    assert second.ece_before == first.ece_before
    assert second.recall_threshold == first.recall_threshold / 2
    assert (second.recall_target, second.alpha) == (0.9, 0.1)
    assert second.ece_after != first.ece_after


@given(st.floats(0.05, 20), st.floats(0, 1), st.floats(0, 1), st.booleans())
def test_it_survives_json(temperature, low, high, empty):
    found = dataclasses.replace(
        assess(*_two_classes(60)),
        temperature=temperature,
        unsure=None if empty else (min(low, high), max(low, high)),
    )
    assert Confidence.from_dict(found.to_dict()) == found


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("temperature", 0),
        ("temperature", -1.0),
        ("temperature", float("nan")),
        ("temperature", True),
        ("ece_before", 1.1),
        ("ece_after", -0.1),
        ("recall_threshold", "high"),
        ("recall_target", 1),
        ("alpha", 0),
        ("n", 2.5),
        ("corroded", 400),
        ("on", ""),
        ("unsure", (0.7, 0.6)),
        ("unsure", (0.1,)),
        ("unsure", 0.5),
        ("unsure", (0.5, 1.5)),
        ("surprise", 1),
    ],
)
def test_values_out_of_range_are_refused(field, value):
    values = assess(*_two_classes()).to_dict() | {field: value}
    with pytest.raises(ValueError, match=field):
        Confidence.from_dict(values)
    with pytest.raises(ValueError, match="expected fields"):
        Confidence.from_dict([field])


def test_what_the_option_means():
    found = assess(*_two_classes())
    assert chosen(None, 0.5, found, "m") == 0.5
    assert chosen(0.25, 0.5, None, "m") == 0.25
    assert chosen(0.0, 0.5, None, "m") == 0
    assert chosen("recall", 0.5, found, "m") == found.recall_threshold
    with pytest.raises(UsageError, match=r"m\.tflite carries no threshold"):
        chosen("recall", 0.5, None, "m.tflite")
    with pytest.raises(UsageError, match=r"m\.tflite: 20 corroded validation photos are too few"):
        chosen("recall", 0.5, assess(*_two_classes(40)), "m.tflite")


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_the_band_reaches_to_the_threshold(one, other, threshold):
    band = (min(one, other), max(one, other))
    found = dataclasses.replace(assess(*_two_classes()), unsure=band).band(threshold)
    assert found[0] <= threshold <= found[1]
    assert (found == band) == (band[0] <= threshold <= band[1])
    assert found[0] in (band[0], threshold)
    assert found[1] in (band[1], threshold)
    assert dataclasses.replace(assess(*_two_classes()), unsure=None).band(threshold) is None
