"""The judging: figures, what is forgotten, the pull of the head, the choice between candidates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from corrosion_edge.metrics import measure
from corrosion_edge.trainer.plan import Descent
from corrosion_edge.trainer.recipe import DescentStage, HeadStage
from corrosion_edge.trainer.site.choice import Referee, Trial
from corrosion_edge.trainer.site.figures import Limits, compare, forgotten, judge
from corrosion_edge.trainer.site.head import pulled_head

HEAD = HeadStage(strengths=(1.0,))
TOP = DescentStage(plan=Descent(epochs=1, rate=1e-4), top=0.2)


def scored(right, n=40, sure=0.9):
    """Labels, half of them 1, and scores that are right on the first ``right``."""
    labels = np.arange(n) % 2
    good = np.where(labels == 1, sure, 1 - sure)
    return labels, np.where(np.arange(n) < right, good, 1 - good)


def test_the_figures_are_those_of_the_core():
    labels, scores = scored(33)
    ours, core = judge(labels, scores, 0.5), measure(labels, scores, 0.5)
    for name in ("n", "accuracy", "recall", "specificity", "auc", "log_loss"):
        assert getattr(ours, name) == pytest.approx(getattr(core, name))
    assert ours.ci95 == {name: core.ci95[name] for name in ours.ci95}
    assert (ours.missed, ours.false_alarms) == (
        core.confusion.false_negative, core.confusion.false_positive
    )  # fmt: skip


def test_one_class_has_no_recall_and_no_auc():
    figures = judge(np.zeros(5, np.int64), np.array([0.1, 0.2, 0.3, 0.6, 0.7]), 0.5)
    assert figures.recall is figures.auc is None
    assert (figures.accuracy, figures.specificity, figures.false_alarms) == (0.6, 0.6, 2)


@given(st.integers(0, 40), st.integers(0, 40))
def test_a_change_counts_the_verdicts_that_turned(before, after):
    labels, first = scored(before)
    change = compare(labels, first, scored(after)[1], 0.5)
    assert (change.won, change.lost) == (max(0, after - before), max(0, before - after))
    assert change.p == pytest.approx(min(1, 2 * 0.5 ** abs(after - before)))


def test_a_limit_is_kept_at_the_limit_and_broken_beyond():
    labels, before = scored(40)
    change = compare(labels, before, scored(39)[1], 0.5)
    fall = change.before.auc - change.after.auc
    assert forgotten(change, Limits(auc=fall, accuracy=0.025)) == ()
    broken = forgotten(change, Limits(auc=fall / 2, accuracy=0.02))
    assert [sentence.split()[0] for sentence in broken] == ["ROC-AUC", "accuracy"]
    assert (
        "40 old validation photos falls by 0.0250, 1.0000 to 0.9750; the limit is 0.02"
        in (broken[1])
    )
    with pytest.raises(ValueError, match="accuracy: expected 0 to 1"):
        Limits(accuracy=2)


def features(seed, n=60, shift=0.0):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    return rng.normal(size=(n, 3)) * (1, 5, 0.2) + shift + labels[:, None] * (1, 0, 0.1), labels


def test_a_strong_pull_keeps_the_head_and_none_is_logistic_regression():
    start = np.array([0.3, -0.2, 1.0]), 0.4
    kept, bias, _ = pulled_head([features(1, shift=1.0), features(2)], start, 1e-9)
    np.testing.assert_allclose(kept, start[0], atol=1e-6)
    x, y = features(2)
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    fitted = LogisticRegression(C=2.0 / len(y), tol=1e-8).fit(scaled, y)
    zero = np.zeros(3), 0.0
    weights, bias, loss = pulled_head([(x, y)], zero, 2.0)
    np.testing.assert_allclose(weights, fitted.coef_[0] / x.std(axis=0), rtol=1e-3)
    p = fitted.predict_proba(scaled)[:, 1]
    np.testing.assert_allclose(1 / (1 + np.exp(-(x @ weights + bias))), p, atol=1e-4)
    assert loss == pytest.approx(-np.mean(np.log(np.where(y == 1, p, 1 - p))), abs=1e-4)


def test_both_sets_count_alike_however_few_photos_one_has():
    few, many = features(1, n=10, shift=2.0), features(2)
    doubled = tuple(np.concatenate([part, part]) for part in few)
    zero = np.zeros(3), 0.0
    one, other = pulled_head([few, many], zero, 5.0), pulled_head([doubled, many], zero, 5.0)
    np.testing.assert_allclose(one[0], other[0], rtol=1e-3)


def trial(name, site, old, trained=10, stage=1, rule=HEAD):
    folds = np.stack([scored(old)[1]] * 4)
    return Trial(name=name, stage=stage, rule=rule, head=None, strength=1.0, trained=trained,
                 site=site, old=folds)  # fmt: skip


def referee(replay=True, **limits):
    labels, before = scored(40)
    none = np.zeros(0, np.int64)
    return Referee(
        labels=labels,
        folds=np.arange(40) % 4,
        old_labels=labels if replay else none,
        old_before=before if replay else none.astype(float),
        threshold=0.5,
        limits=Limits(**limits),
    )


def test_more_weights_must_be_better_by_more_than_chance():
    head = trial("head", scored(30)[1], 40)
    bit = trial("top", scored(31)[1], 40, trained=1000, stage=2, rule=TOP)
    much = trial("top", scored(38)[1], 40, trained=1000, stage=2, rule=TOP)
    assert referee().choose([head, bit]) is head
    assert referee().choose([head, much]) is much
    assert referee().choose([much, head]) is much


def test_of_one_stage_the_best_is_kept_and_what_forgets_is_out():
    weak, strong = trial("weak", scored(30)[1], 40), trial("strong", scored(31)[1], 40)
    assert referee().choose([weak, strong]) is strong
    forgets = trial("forgets", scored(40)[1], 38)
    assert referee().choose([weak, forgets]) is weak
    assert referee().forgets(forgets)
    assert not referee(auc=0.5, accuracy=0.5).forgets(forgets)
    worse = trial("worse", scored(40)[1], 36)
    assert referee().choose([worse, forgets]) is forgets


def test_a_fold_that_is_left_out_has_no_say():
    """One candidate is right only in fold 0, which the choice for fold 0 must not see."""
    labels, good = scored(40)
    wrong = 1 - good
    lucky = trial("lucky", np.where(np.arange(40) % 4 == 0, good, wrong), 40)
    other = trial("other", np.where(np.arange(40) % 4 == 1, good, 0.6 - 0.2 * labels), 40)
    both = [lucky, other]
    assert referee().choose(both, without=0) is other
    assert referee().loss(lucky, without=0) > referee().loss(lucky)


def test_without_old_photos_the_site_alone_decides():
    judge_alone = referee(replay=False)
    one = Trial(name="one", stage=1, rule=HEAD, head=None, strength=1.0, trained=1,
                site=scored(30)[1], old=np.zeros((4, 0)))  # fmt: skip
    assert not judge_alone.forgets(one)
    assert judge_alone.loss(one) == pytest.approx(
        np.mean([*[-np.log(0.9)] * 30, *[-np.log(0.1)] * 10])
    )
    assert "old_auc" not in judge_alone.row(one)
