import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corrosion_edge.quantize.calibrate import choose
from corrosion_edge.quantize.drift import Limits, compare
from corrosion_edge.trainer.data import Photo
from corrosion_edge.trainer.samples import Samples

LABELS = np.repeat([0, 1], 50)
STRICT = Limits(
    accuracy_drop=0, auc_drop=0, mean_change=0, largest_change=0, agreement=1, false_alarm_rise=0
)


def _scores(seed: int = 0) -> np.ndarray:
    return np.clip(np.random.default_rng(seed).normal(0.2 + 0.6 * LABELS, 0.2), 0, 1)


def test_no_change_is_no_drift():
    scores = _scores()
    report = compare(LABELS, scores, scores, 0.5, STRICT)
    assert report.broken == []
    assert (report.agreement, report.mean_change, report.largest_change) == (1, 0, 0)
    assert report.accuracy_drop == report.auc_drop == 0


def test_changes_are_counted_photo_by_photo():
    before = _scores()
    after = before.copy()
    found = np.flatnonzero((before >= 0.5) & (before < 0.95))[:3]
    after[found] = 0.1
    added = np.flatnonzero(before < 0.5)[:2]
    after[added] = 0.9
    report = compare(LABELS, before, after, 0.5, Limits())
    assert report.corrosion_missed == 3
    assert report.corrosion_added == 2
    assert report.agreement == pytest.approx(0.95)
    assert report.largest_change == pytest.approx(np.abs(before - after).max())
    assert report.mean_change == pytest.approx(np.abs(before - after).mean())


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 0.5), st.floats(0, 0.5))
def test_the_gate_is_the_limit_itself(accuracy_drop, auc_drop):
    before, after = _scores(), np.clip(_scores() * 0.6 + np.linspace(0, 0.3, 100), 0, 1)
    limits = Limits(accuracy_drop=accuracy_drop, auc_drop=auc_drop)
    report = compare(LABELS, before, after, 0.5, limits, intervals=False)
    broken = " ".join(report.broken)
    assert ("accuracy" in broken) == (report.accuracy_drop > accuracy_drop + 1e-9)
    assert ("ROC-AUC" in broken) == (report.auc_drop > auc_drop + 1e-9)


def test_an_improvement_is_no_drop():
    worse = np.clip(_scores() + np.where(LABELS == 1, -0.3, 0.3), 0, 1)
    report = compare(LABELS, worse, _scores(), 0.5, Limits(accuracy_drop=0, auc_drop=0))
    assert report.accuracy_drop < 0
    assert {check.name for check in report.checks if check.kept} >= {"accuracy_drop", "auc_drop"}


def test_the_report_is_plain_json():
    report = compare(LABELS, _scores(), _scores(1), 0.5, Limits()).to_dict()
    assert json.loads(json.dumps(report, allow_nan=False))["n"] == 100
    assert not re.search("NaN|Infinity", json.dumps(report))


@pytest.mark.parametrize("wrong", [-0.1, 1.1])
def test_limits_are_fractions(wrong):
    with pytest.raises(ValueError, match="accuracy_drop"):
        Limits(accuracy_drop=wrong)


def _training(corroded: int, clean: int) -> Samples:
    labels = np.repeat([1, 0], [corroded, clean])
    pixels = np.zeros((len(labels), 1, 1, 3), np.uint8)
    return Samples(pixels, labels, (Photo(Path("x.jpg"), 0),) * len(labels))


@given(st.integers(1, 60), st.integers(1, 60), st.integers(2, 100), st.integers(0, 5))
def test_calibration_photos_are_balanced_distinct_and_seeded(corroded, clean, count, seed):
    training = _training(corroded, clean)
    chosen = choose(training, count, seed)
    assert len(chosen) == len(set(chosen.tolist())) == min(count, corroded + clean)
    positive = int(training.labels[chosen].sum())
    if min(corroded, clean) >= count // 2 + 1:
        assert abs(2 * positive - len(chosen)) <= 1
    assert np.array_equal(chosen, choose(training, count, seed))


def test_another_seed_chooses_others():
    training = _training(50, 50)
    assert set(choose(training, 20, 1)) != set(choose(training, 20, 2))
    with pytest.raises(ValueError, match="count"):
        choose(training, 1, 1)
