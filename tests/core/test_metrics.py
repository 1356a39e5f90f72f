import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from corrosion_edge.errors import DataError
from corrosion_edge.metrics import RESAMPLES, measure, roc_auc, wilson

LABELS = st.lists(st.integers(0, 1), min_size=2, max_size=40).filter(lambda x: len(set(x)) == 2)


@given(st.data())
def test_our_auc_is_scikit_learns_ties_included(data):
    labels = np.array(data.draw(LABELS))
    levels = st.integers(0, 5)
    scores = np.array(data.draw(st.lists(levels, min_size=len(labels), max_size=len(labels)))) / 5
    ours = roc_auc(scores[labels == 1], scores[labels == 0])
    assert ours == pytest.approx(roc_auc_score(labels, scores))


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_figures_agree_with_their_definitions(data):
    labels = np.array(data.draw(LABELS))
    p = st.floats(0, 1)
    scores = np.array(data.draw(st.lists(p, min_size=len(labels), max_size=len(labels))))
    m = measure(labels, scores, 0.5)
    c = m.confusion
    assert sum(c.to_dict().values()) == m.n == len(labels)
    assert m.accuracy == pytest.approx((c.true_positive + c.true_negative) / m.n)
    assert m.recall == pytest.approx(c.true_positive / (c.true_positive + c.false_negative))
    assert m.specificity == pytest.approx(c.true_negative / (c.true_negative + c.false_positive))
    p = np.clip(scores, 1e-7, 1 - 1e-7)
    assert m.log_loss == pytest.approx(log_loss(labels, p))
    assert m.brier == pytest.approx(brier_score_loss(labels, scores))
    turned = measure(1 - labels, -scores, -0.5 + 1e-12)  # the paper's side of the same verdicts
    assert m.no_corrosion["recall"] == pytest.approx(turned.recall)
    for name in ("accuracy", "precision", "recall", "specificity"):
        low, high = m.ci95[name]
        if not (name == "precision" and c.true_positive + c.false_positive == 0):
            assert low <= getattr(m, name) + 1e-12
            assert getattr(m, name) <= high + 1e-12


def test_the_papers_confusion_gives_the_papers_figures():
    """B0 at 20 %: 76 of 83 and 91 of 99 right give .9048 .9157 .9102 and .9176."""
    labels = np.repeat([0, 0, 1, 1], [76, 7, 91, 8])
    scores = np.repeat([0.1, 0.9, 0.9, 0.1], [76, 7, 91, 8])
    m = measure(labels, scores, 0.5)
    papers = [round(m.no_corrosion[k], 4) for k in ("precision", "recall", "f1")]
    assert [*papers, round(m.accuracy, 4)] == [0.9048, 0.9157, 0.9102, 0.9176]


def test_wilson_against_published_values():
    """Newcombe 1998, Statistics in Medicine 17:857, table I, method 3."""
    for (k, n), (low, high) in {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0.0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }.items():
        assert wilson(k, n) == pytest.approx((low, high), abs=5e-5)
    assert wilson(0, 0) == (0.0, 1.0)


def test_the_bootstrap_covers_and_repeats():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 100)
    scores = np.clip(rng.normal(0.4 + 0.2 * labels, 0.15), 0, 1)
    m = measure(labels, scores, 0.5)
    low, high = m.ci95["auc"]
    assert low < m.auc < high
    assert 0.03 < high - low < 0.2
    assert measure(labels, scores, 0.5) == m
    assert RESAMPLES >= 1000


def test_the_threshold_itself_is_corrosion():
    m = measure(np.array([0, 1]), np.array([0.4, 0.5]), 0.5)
    assert m.confusion.true_positive == 1


def test_one_class_is_an_error_not_a_figure():
    with pytest.raises(DataError, match="both classes"):
        measure(np.ones(3, np.int64), np.ones(3), 0.5)


def test_nothing_called_corrosion_gives_zeros_not_nan():
    m = measure(np.array([0, 1, 1]), np.array([0.1, 0.2, 0.3]), 0.5)
    assert (m.precision, m.recall, m.f1) == (0, 0, 0)
    assert all(np.isfinite([*interval]).all() for interval in m.ci95.values())
