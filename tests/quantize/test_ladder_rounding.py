import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

from ladder_networks import opened

from corrosion_edge.quantize.ladder import ranges
from corrosion_edge.quantize.ladder.ranges import METHODS, Histogram, Range
from corrosion_edge.quantize.ladder.rounding import in_order, rounded, rounded_weights, scales

ENDS = st.floats(-1e4, 1e4).map(lambda v: float(np.float32(v)))


@given(ENDS, ENDS)
def test_a_range_holds_zero_and_comes_near_its_ends(one, other):
    low, high = min(one, other), max(one, other)
    held = Range.over(low, high)
    assert held.low <= 0 <= held.high
    assert abs(held.low - min(low, 0)) <= max(held.scale, 1e-8)
    assert abs(held.high - max(high, 0)) <= max(held.scale, 1e-8)


@pytest.mark.parametrize(("scale", "zero"), [(0, 0), (-1, 0), (1, 128), (1, -129)])
def test_a_range_that_cannot_be_is_refused(scale, zero):
    with pytest.raises(ValueError, match="expected scale > 0"):
        Range(scale, zero)


@given(arrays(np.float32, 20, elements=st.floats(-8, 8, width=32)), ENDS)
def test_rounding_is_idempotent_and_within_half_a_step(values, end):
    held = Range.over(min(end, -1), max(end, 1))
    once = rounded(values, held).numpy()
    assert rounded(once, held).numpy() == pytest.approx(once, abs=1e-6)
    inside = (values >= held.low) & (values <= held.high)
    assert np.abs(once - values)[inside].max(initial=0) <= held.scale * 0.501


def _histogram(values: np.ndarray, weight: np.ndarray | None = None) -> Histogram:
    low, high = float(values.min()), float(values.max())
    count, _ = np.histogram(values, 2048, (low, high))
    weighed = np.histogram(values, 2048, (low, high), weights=weight)[0]
    return Histogram(low, high, count.astype(float), weighed.astype(float))


def _error(values: np.ndarray, held: Range, weight: np.ndarray | float = 1.0) -> float:
    return float((weight * np.square(rounded(values.astype(np.float32), held) - values)).mean())


def test_rare_outliers_are_clipped():
    values = np.append(np.random.default_rng(0).normal(size=100_000), [40.0])
    assert METHODS["percentile"](_histogram(values)).high < 20
    assert METHODS["minimum and maximum"](_histogram(values)).high == pytest.approx(40, rel=0.01)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.floats(0.1, 1))
def test_least_squared_error_is_no_worse_than_minimum_and_maximum(seed, tail):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=20_000) * np.exp(tail * rng.normal(size=20_000))
    histogram = _histogram(values)
    least, whole = (METHODS[m](histogram) for m in ("squared error", "minimum and maximum"))
    assert _error(values, least) <= _error(values, whole) * 1.02


def test_sensitivity_spends_its_steps_where_errors_count():
    rng = np.random.default_rng(1)
    values = rng.uniform(-10, 10, 50_000)
    weight = np.where(values > -1, 1.0, 1e-6)  # as with swish: far below 0 nothing counts
    held = METHODS["sensitivity"](_histogram(values, weight))
    assert held.low > -4
    assert held.high == pytest.approx(10, abs=0.5)
    whole = METHODS["minimum and maximum"](_histogram(values, weight))
    assert _error(values, held, weight) < 0.6 * _error(values, whole, weight)


def test_entropy_keeps_the_bulk():
    values = np.random.default_rng(2).normal(size=100_000)
    held = METHODS["entropy"](_histogram(values))
    assert 2 < held.high <= 5


def test_operators_that_pass_values_on_share_a_range():
    network = opened("densenet121")
    values = np.random.default_rng(3).normal(size=1000)
    histograms = {op.output: _histogram(values * (1 + i)) for i, op in enumerate(network.ops)}
    chosen = ranges.choose(network, histograms, "minimum and maximum")
    shared = [op for op in network.ops if op.kind in ranges.SAME]
    assert {op.kind for op in shared} >= {"CONCATENATION", "MAX_POOL_2D", "AVERAGE_POOL_2D"}
    for op in shared:
        assert {chosen[op.output]} == {chosen[i] for i in (*op.inputs, op.output) if i in chosen}
    for op in network.ops:
        if op.kind in ("SOFTMAX", "LOGISTIC"):
            assert chosen[op.output] == Range(1 / 256, -128)


def test_weights_lie_on_the_steps_of_their_channel():
    network = opened("tiny")
    for number, values in rounded_weights(network).items():
        weights = network.constants[number]
        op = next(op for op in network.ops if number in op.inputs)
        axis = 3 if op.kind == "DEPTHWISE_CONV_2D" else 0
        steps = scales(weights, axis, one=op.kind == "FULLY_CONNECTED")
        wide = steps.reshape([-1 if i == axis else 1 for i in range(weights.ndim)])
        places = values / wide
        assert places == pytest.approx(np.round(places), abs=1e-3)
        assert np.abs(values - weights).max() <= steps.max() * 0.501


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000))
def test_rounding_in_order_is_on_the_steps_and_harms_the_output_less(seed):
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(500, 12)) @ rng.normal(size=(12, 96))  # strongly correlated
    weights = rng.normal(size=(96, 8))
    steps = np.abs(weights).max(axis=0) / 7
    power = inputs.T @ inputs / len(inputs)
    careful, plain = in_order(weights, power, steps), np.round(weights / steps) * steps
    assert careful / steps == pytest.approx(np.round(careful / steps), abs=1e-6)
    harm = [np.square(inputs @ (w - weights)).mean() for w in (careful, plain)]
    assert harm[0] < harm[1]
