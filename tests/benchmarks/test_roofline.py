"""What a model costs, what the machine can do, and what is said of both."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from latency_samples import QUIET

from corrosion_edge.benchmarks.machine import read_machine
from corrosion_edge.benchmarks.roofline import page
from corrosion_edge.benchmarks.roofline.copying import Copying, largest_cache
from corrosion_edge.benchmarks.roofline.cost import Cost, Part, cost_of
from corrosion_edge.benchmarks.roofline.measure import Point, Roofline
from corrosion_edge.benchmarks.roofline.probes import KINDS, macs_of, probe
from corrosion_edge.bundle import DEFAULT_MODEL, Bundle
from corrosion_edge.device.backends.litert import find_runtime
from corrosion_edge.errors import BundleError
from corrosion_edge.network.graph import Graph, Op, Tensor, read

CHANNELS, SIDE = st.integers(1, 12), st.integers(1, 9)


def tensor(index, shape, *, kind="INT8", data=None):
    size = int(np.prod(shape)) * {"INT8": 1, "FLOAT32": 4}[kind]
    content = memoryview(bytes(size)) if data else None
    return Tensor(index, f"t{index}", kind, shape, size, content, buffer=index)


def graph(name, given_, weights, made, kind="INT8"):
    tensors = (tensor(0, given_, kind=kind), tensor(1, weights, kind=kind, data=True),
               tensor(2, made, kind=kind))  # fmt: skip
    return Graph(tensors, (Op(0, name, 1, (0, 1, -1), (2,), None, 0, ""),), (0,), (2,))


@given(st.sampled_from(KINDS), CHANNELS, SIDE)
@settings(deadline=None)
def test_a_probe_costs_what_its_shape_says(kind, channels, side):
    cost = cost_of(read(probe(kind, channels, side)))
    assert cost.macs == macs_of(channels, side) == 8 * side**2 * channels**2
    assert cost.kind == kind
    width = {"INT8": 1, "FLOAT32": 4}[kind]
    assert cost.activation_bytes == 8 * 2 * side**2 * channels * width
    assert cost.parameter_bytes == channels * channels * width + 4 * channels


@given(st.integers(1, 5), st.integers(1, 5), CHANNELS, CHANNELS, SIDE)
def test_products_are_counted_as_loops_would(height, width, given_, made, side):
    shape, out = (1, side, side, given_), (1, side, side, made)
    conv = cost_of(graph("CONV_2D", shape, (made, height, width, given_), out))
    assert conv.macs == side * side * made * height * width * given_
    deep = cost_of(graph("DEPTHWISE_CONV_2D", shape, (1, height, width, given_), shape))
    assert deep.macs == side * side * given_ * height * width
    dense = cost_of(graph("FULLY_CONNECTED", (1, given_), (made, given_), (1, made)))
    assert dense.macs == made * given_


def test_the_default_networks_cost_is_the_published_one():
    cost = cost_of(read(Bundle.load(DEFAULT_MODEL).model))
    assert 0.70e9 < cost.macs < 0.74e9  # 0.7 billion: Tan and Le 2021, table 7, EfficientNetV2-B0
    assert cost.parameter_bytes == pytest.approx(5.9e6, rel=0.05)  # 5.92 million, mostly int8
    assert cost.kind == "INT8"


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(BundleError, match="no convolution or fully connected layer"):
        cost_of(graph("ADD", (1, 2), (1, 2), (1, 2)))
    with pytest.raises(BundleError, match="its size is open"):
        cost_of(graph("CONV_2D", (1, -1, 2, 3), (4, 1, 1, 3), (1, 2, 2, 4)))
    with pytest.raises(ValueError, match="kind: expected one of INT8, FLOAT32, got 'INT16'"):
        probe("INT16", 1, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_probe_multiplies(kind):
    """The runtime's answer is that of NumPy, so it is not skipped or folded away."""
    runtime, _ = find_runtime()
    interpreter = runtime.Interpreter(model_content=probe(kind, 16, 3), num_threads=1)
    interpreter.allocate_tensors()
    place = interpreter.get_input_details()[0]
    draw = np.random.default_rng(2)
    values = (draw.integers(-128, 128, place["shape"], np.int8) if kind == "INT8"
              else draw.normal(size=place["shape"]).astype(np.float32))  # fmt: skip
    interpreter.set_tensor(place["index"], values)
    interpreter.invoke()
    found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    weights = np.frombuffer(read(probe(kind, 16, 3)).tensors[9].data,
                            np.int8 if kind == "INT8" else "<f4").reshape(16, 16)  # fmt: skip
    expected = values.astype(float)
    for _ in range(8):
        expected = expected @ weights.T.astype(float)
        if kind == "INT8":
            expected = np.clip(np.rint(expected * 0.004), -128, 127)
    apart = np.abs(found.astype(float) - expected)
    assert np.quantile(apart, 0.9) <= (8 if kind == "INT8" else 1e-4)  # int8 rounds eight times
    assert np.abs(expected).max() > 0


def roofline(**fields):
    whole = {
        "machine": read_machine(), "runtime": "a runtime 1.0", "threads": 1, "rounds": 3,
        "peaks": {"INT8": 100e9, "FLOAT32": 10e9}, "shapes": dict.fromkeys(KINDS, (8, 4)),
        "bytes_per_second": 10e9, "copied_bytes": 2**28, "cache_bytes": 2**20, "points": (),
        "before": QUIET, "after": QUIET, "others_cores": 0.0, "swapped_pages": 0,
        "clocks_mhz": (1500, 1500),
    }  # fmt: skip
    return Roofline(**{**whole, **fields})


def point(seconds, macs=10**9, parameters=10**7, activations=10**8, parts=()):
    cost = Cost(macs, parameters, activations, "INT8", parts)
    return Point("net", cost, seconds, 0.5, 0.4, 0.6)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (point(0.015), "multiplying"),  # 10 ms at the peak
        (point(0.015, parameters=10**8, macs=10**8), "memory"),
        (point(0.015, macs=10**8), "memory, where caches hold little"),
        (point(0.5), "neither"),
    ],
)
def test_the_limit_is_what_makes_up_half_of_the_time(model, expected):
    found = roofline(points=(model,))
    assert found.floors(point(1.0)) == pytest.approx((0.01, 0.001, 0.011))
    assert page.limit(found, model) == expected
    assert page.rows(found)[0][-1] == expected
    assert expected in page.html([found])
    assert page.plain([found])["runs"][0]["points"][0]["limit"] == expected


def test_a_cache_that_may_hold_the_copy_is_told():
    assert "may hold much" not in page.text([roofline()])
    assert "a cache of 500.0 MB may hold much" in page.text([roofline(cache_bytes=500_000_000)])


def test_copying_is_counted_in_both_directions(monkeypatch):
    now = iter([1.0, 3.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(now))
    assert Copying(1000, 2).rate() == 1000.0  # 2000 bytes in 2 seconds


def test_the_largest_cache_is_found(tmp_path):
    assert largest_cache(tmp_path) == 0
    for number, size in enumerate(("32K", "1024K", "2M", "odd")):
        (tmp_path / f"index{number}").mkdir()
        (tmp_path / f"index{number}" / "size").write_text(f"{size}\n")
    assert largest_cache(tmp_path) == 2 * 2**20


def test_each_kind_of_operator_is_counted_and_its_time_estimated():
    conv = graph("CONV_2D", (1, 4, 4, 2), (3, 1, 1, 2), (1, 4, 4, 3))
    assert cost_of(conv).parts == (Part("CONV_2D", 1, 4 * 4 * 2 * 3, 32 + 6 + 48),)
    parts = (Part("CONV_2D", 2, 10**9, 10**6), Part("MUL", 3, 0, 2 * 10**7))
    rows = page.part_rows(roofline(points=(point(0.05, parts=parts),)))
    assert [row[1:] for row in rows] == [
        ("CONV_2D", "2", "1000", "1.0 MB", "10.00 ms", "20%"),
        ("MUL", "3", "0", "20.0 MB", "2.00 ms", "4%"),
        ("the rest", "", "", "", "38.00 ms", "76%"),
    ]
    found = page.plain([roofline(points=(point(0.05, parts=parts),))])["runs"][0]["points"][0]
    assert [part["estimated_s"] for part in found["cost"]["parts"]] == [0.01, 0.002]


def test_the_default_networks_parts_make_up_the_whole():
    cost = cost_of(read(Bundle.load(DEFAULT_MODEL).model))
    assert sum(part.macs for part in cost.parts) == cost.macs
    assert sum(part.moved_bytes for part in cost.parts) > cost.activation_bytes
    assert {"CONV_2D", "DEPTHWISE_CONV_2D", "LOGISTIC", "MUL"} <= {p.name for p in cost.parts}
