"""Float against int8 tensor by tensor: what is measured, and to which tensors the loss is put."""

import csv
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

from ai_edge_litert.interpreter import Interpreter
from commands import run
from ladder_networks import converted, opened, pictures

from corrosion_edge.errors import BackendError
from corrosion_edge.output import json_text
from corrosion_edge.quantize.convert import finished, float_conversion
from corrosion_edge.quantize.drift import Limits
from corrosion_edge.quantize.ladder import arithmetic, integer, ranges, statistics
from corrosion_edge.quantize.ladder.fold import fold
from corrosion_edge.quantize.ladder.ranges import Range
from corrosion_edge.quantize.layers.exposed import Exposed
from corrosion_edge.quantize.layers.findings import FIELDS, Findings, examine
from corrosion_edge.quantize.layers.losses import attribute
from corrosion_edge.quantize.layers.page import sections
from corrosion_edge.quantize.layers.pair import Pair
from corrosion_edge.quantize.layers.simulation import Item, Simulation
from corrosion_edge.quantize.layers.snr import Tally, decibels, sqnr, worst_channel
from corrosion_edge.quantize.names import meaningful_names
from corrosion_edge.quantize.quantize import Request, quantize
from corrosion_edge.report import Figure, Table
from corrosion_edge.trainer import backbones
from corrosion_edge.trainer import model as models

VALUES = arrays(np.float64, st.integers(1, 40), elements=st.floats(-100, 100, width=32))
POWERS = st.floats(1e-6, 1e6)


@given(VALUES)
def test_an_exact_tensor_is_infinitely_far_above_its_noise(x):
    assert sqnr(x, x) == (math.inf if x.any() else None)


@given(POWERS, POWERS, st.floats(1e-3, 1e3))
def test_decibels_know_no_unit_and_count_each_bit_as_six(signal, noise, unit):
    db = decibels(signal, noise)
    assert decibels(signal * unit, noise * unit) == pytest.approx(db, abs=1e-6)
    assert decibels(signal, noise / 4) == pytest.approx(db + 6.0206, abs=1e-3)


def test_what_cannot_be_a_power_or_a_pair_is_refused():
    with pytest.raises(ValueError, match="powers of 0 or more"):
        decibels(1.0, -1.0)
    with pytest.raises(ValueError, match="expected the shape"):
        sqnr(np.ones(3), np.ones((1, 3)))


@given(st.integers(0, 1000), st.integers(0, 3))
def test_the_worst_channel_is_the_spoiled_one(seed, channel):
    exact = np.random.default_rng(seed).normal(size=(4, 3, 3, 5))
    coarse = exact + 0.001
    coarse[channel] += 0.5
    assert worst_channel(exact, coarse, 0) == sqnr(exact[channel], coarse[channel])


@given(st.integers(0, 1000), st.floats(0.05, 5), st.integers(-100, 100))
def test_a_tally_is_the_ratio_of_all_it_saw(seed, scale, zero):
    held, rng = Range(scale, zero), np.random.default_rng(seed)
    photos = [rng.normal(scale=20 * scale, size=(1, 6, 7)).astype(np.float32) for _ in range(3)]
    coarse = [rng.integers(-128, 128, x.shape).astype(np.int8) for x in photos]
    tally = Tally(held)
    for x, q in zip(photos, coarse, strict=True):
        tally.add(x, q)
    exact, whole = np.stack(photos), (np.stack(coarse).astype(float) - zero) * scale
    found = tally.fidelity
    assert found.snr == pytest.approx(sqnr(exact, whole), abs=1e-3)
    assert found.bias == pytest.approx(((whole - exact) / scale).mean(), abs=1e-3)
    assert found.levels == len(np.unique(np.stack(coarse)))
    beyond = (exact < held.low - 0.501 * scale) | (exact > held.high + 0.501 * scale)
    assert found.clipped == pytest.approx(beyond.mean(), abs=0.01)


def test_plain_rounding_errs_by_a_step_over_the_root_of_twelve():
    x = np.random.default_rng(0).uniform(-12, 12, 50_000).astype(np.float32)
    tally = Tally(Range(0.1, 0))
    tally.add(x, np.rint(x / np.float32(0.1)).astype(np.int8))
    found = tally.fidelity
    assert found.rmse == pytest.approx(1 / math.sqrt(12), rel=0.01)
    assert found.snr == pytest.approx(found.own, abs=1e-6)
    assert found.clipped == 0


def test_a_tally_wants_int8_and_a_photo():
    with pytest.raises(ValueError, match="int8"):
        Tally(Range(1, 0)).add(np.zeros(3, np.float32), np.zeros(3, np.uint8))
    with pytest.raises(ValueError, match="one photo or more"):
        _ = Tally(Range(1, 0)).fidelity


def _chosen(name: str) -> tuple:
    """Network, and its ranges by minimum and maximum."""
    folded = fold(opened(name))
    assert folded is not None
    network = folded[0]
    found = statistics.gather(network, pictures(16).astype(np.float32))
    return network, ranges.choose(network, found.histograms, "minimum and maximum")


def _written(name: str, network, chosen) -> bytes:
    return finished(integer.write(converted(name).integer, network, chosen, opened(name), {}))


@pytest.mark.parametrize(
    "name",
    ["tiny", "efficientnetv2-b0", pytest.param("efficientnet-lite0", marks=pytest.mark.slow)],
)
def test_both_frames_are_matched(name):
    made = converted(name)
    network, chosen = _chosen(name)
    plain = Pair.of(made.float_model, finished(made.integer))
    folded = Pair.of(made.float_model, _written(name, network, chosen))
    assert len(plain.network.ops) == len(plain.original.ops) > len(folded.network.ops)
    assert folded.ranges[folded.network.input] == Range(1.0, folded.network.offset - 128)
    for op in network.ops:
        assert folded.ranges[op.output].scale == pytest.approx(chosen[op.output].scale)
    exact = {n: w for n, w in folded.network.constants.items() if w.dtype == np.float32}
    for place, found in enumerate(folded.constants):
        for number, coarse in found.items():
            assert number in folded.network.ops[place].inputs
            assert (sqnr(exact[number], coarse) or math.inf) > 25


def test_names_for_people_stay_as_they_are():
    model = finished(converted("efficientnetv2-b0").integer)
    assert meaningful_names(model) == model


def test_other_networks_are_refused():
    with pytest.raises(BackendError, match="different operators"):
        Pair.of(opened_bytes("tiny"), finished(converted("efficientnet-lite0").integer))
    network, _ = backbones.build("tiny", 32, "none")
    smaller = float_conversion(models.deliverable(models.assemble(network, "avg").model))
    with pytest.raises(BackendError, match=r"not of the same network.*32.*64"):
        Pair.of(smaller, finished(converted("tiny").integer))
    with pytest.raises(BackendError, match="expected int8 tensors"):
        Pair.of(opened_bytes("tiny"), opened_bytes("tiny"))


def opened_bytes(name: str) -> bytes:
    return converted(name).float_model


@pytest.mark.parametrize("name", ["tiny", "efficientnetv2-b0"])
def test_exposing_tensors_changes_no_answer_of_the_runtime(name):
    model = finished(converted(name).integer)
    pair = Pair.of(opened_bytes(name), model)
    runtime = Interpreter(model_content=model)
    runtime.allocate_tensors()
    end = next(d for d in runtime.get_output_details() if d["name"] == "scores")
    with Exposed(model, pair.places) as exposed:
        for picture in pictures(4, seed=5):
            found = exposed.run(picture)
            runtime.set_tensor(runtime.get_input_details()[0]["index"], picture[None])
            runtime.invoke()
            theirs = runtime.get_tensor(end["index"]).astype(int) - 128
            assert (found[pair.network.scores].astype(int) == theirs).all()
    assert {op.output for op in pair.network.ops} < set(found)
    assert all(values.dtype == np.int8 for values in found.values())


def test_a_simulation_without_rounding_is_the_float_network():
    network, chosen = _chosen("tiny")
    simulation = Simulation(Pair.of(opened_bytes("tiny"), _written("tiny", network, chosen)))
    pixels = pictures(4, seed=6)
    x = pixels.astype(np.float32) - network.offset
    exact = simulation.run(x, lambda _: False)
    z = simulation.log_odds(exact)
    assert z.numpy() == pytest.approx(arithmetic.log_odds(network, pixels), abs=1e-4)
    coarse = simulation.run(x, lambda _: True)
    assert np.abs(simulation.log_odds(coarse) - z).max() > 1e-3
    item = Item("activation", 2)
    once = simulation.rerun(exact, item, item.__eq__)
    whole = simulation.run(x, item.__eq__)
    assert simulation.log_odds(once).numpy() == pytest.approx(simulation.log_odds(whole).numpy())


def test_estimates_come_near_what_is_measured():
    made = converted("tiny")
    pair = Pair.of(made.float_model, finished(made.integer))
    pixels = pictures(12, seed=7)
    z = arithmetic.log_odds(pair.original, pixels)
    losses = attribute(pair, pixels, z, measured=100)
    assert sorted(losses.measured) == list(range(len(losses.items)))
    estimate, size = (np.square(v).mean(axis=1) ** 0.5 for v in (losses.first_order, losses.alone))
    assert np.corrcoef(estimate, size)[0, 1] > 0.9
    some = size > 0.01
    assert some.sum() > 10
    assert np.median(np.abs(estimate - size)[some] / size[some]) < 0.15
    assert {item.kind for item in losses.items} == {"weights", "activation"}
    assert np.abs(losses.folding).max() < 1e-4
    assert np.square(losses.noise).mean() > np.square(losses.float_activations).mean()


def test_one_spoiled_tensor_is_named_by_both():
    """A range forty times too wide: the worst signal, the worst loss, and most of the noise."""
    network, chosen = _chosen("tiny")
    victim = [op for op in network.ops if op.kind == "CONV_2D"][1].output
    held = chosen[victim]
    spoiled = chosen | {victim: Range(40 * held.scale, held.zero // 40)}
    model = _written("tiny", network, spoiled)
    found = examine(opened_bytes("tiny"), model, pictures(8, seed=8))
    names = Pair.of(opened_bytes("tiny"), model).names
    by_signal = min((row for row in found.rows if row.own is not None), key=lambda r: r.own)
    assert by_signal.name == found.worst[0].name == names[victim]
    assert found.worst[0].share > 0.5
    assert found.left["1 tensors"] < 0.5 * found.simulated
    assert found.sentences[1].startswith("A few tensors make the loss")
    assert found.worst[0].gain == pytest.approx(found.simulated - found.left["1 tensors"], abs=1e-4)


@pytest.fixture(scope="module")
def tiny() -> Findings:
    model = _written("tiny", *_chosen("tiny"))
    return examine(opened_bytes("tiny"), model, pictures(6, seed=9), measured=3)


def test_the_quantized_picture_is_exact_and_said_so(tiny):
    row = tiny.rows[0]
    assert (row.op, row.snr, row.own, row.rmse, row.loss) == ("INPUT", math.inf, math.inf, 0, 0)
    told = row.to_dict()
    assert told["snr"] is None
    assert told["exact"] == ["snr", "own"]
    assert json.loads(json_text(tiny.to_dict()))["tensors"][0] == told


def test_shares_sum_to_one_and_what_scores_do_not_read_has_no_loss(tiny):
    assert sum(row.share or 0 for row in tiny.rows) == pytest.approx(1)
    assert [row.measured for row in tiny.worst[:3]] == [True] * 3
    without = {row.name for row in tiny.rows if row.loss is None}
    assert without
    assert all(name.startswith(("map", "scores")) for name in without)


def test_before_and_after_stand_in_one_section(tiny):
    made = converted("tiny")
    before = examine(made.float_model, finished(made.integer), pictures(4, seed=9), measured=0)
    (section,) = sections({"plain": before, "solved": tiny})
    assert sum(isinstance(block, Figure) for block in section.blocks) == 2
    tables = [block for block in section.blocks if isinstance(block, Table)]
    assert [t.caption.rpartition(": ")[2] for t in tables] == ["plain"] * 2 + ["solved"] * 2
    assert tables[1].rows[0][0] == before.worst[0].name
    assert tables[3].rows[0][0] == tiny.worst[0].name
    whole = sections({"solved": tiny}, every=True)[1]
    assert [row[0] for block in whole.blocks for row in block.rows] == [r.name for r in tiny.rows]


def test_nothing_lost_is_no_division(tiny):
    left = dict.fromkeys(tiny.left, 0.0)
    calm = Findings((), 6, noise=0.0, simulated=0.0, folding=0.0, first_order_error=0.0, left=left)
    assert calm.sentences[1] == "Rounding changes nothing here."


def test_the_command_writes_page_table_and_json(tiny_run, tiny_model, rendered, tmp_path):
    result = run("layers", tiny_run, tiny_model, rendered, "--photos", 8, "--out", tmp_path)
    assert result.exit_code == 0, result.stderr
    assert "Log-odds of 8 photos" in result.stdout
    found = json.loads((tmp_path / "layers.json").read_text())
    with (tmp_path / "layers.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == FIELDS
    assert [row["name"] for row in rows] == [row["name"] for row in found["tensors"]]
    page = (tmp_path / "layers.html").read_text()
    assert all(row["name"] in page for row in rows)
    assert page.count("<img") == 2


def test_bare_flatbuffers_will_do_and_wrong_ones_are_named(rendered, tmp_path):
    made = converted("tiny")
    (tmp_path / "float.tflite").write_bytes(made.float_model)
    (tmp_path / "int8.tflite").write_bytes(made.integer)
    words = (tmp_path / "float.tflite", tmp_path / "int8.tflite", rendered)
    result = run("layers", *words, "--photos", 4, "--measured", 0, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["photos"] == 4
    (tmp_path / "int8.tflite").write_bytes(finished(converted("efficientnet-lite0").integer))
    result = run("layers", *words)
    assert result.exit_code == 1
    assert "different operators" in result.stderr
    assert run("layers", tmp_path / "gone", words[1], rendered).exit_code == 2
    assert run("layers", words[0], tmp_path / "gone", rendered).exit_code == 1


def test_quantize_puts_before_and_after_into_its_page(tiny_run, rendered, tmp_path):
    request = Request(run=tiny_run, data=rendered, out=tmp_path / "m.tflite", calibration=20,
                      seed=1, limits=Limits.none(), effort="plain", layers=True)  # fmt: skip
    result = quantize(request)
    assert list(result.found.layers) == ["plain"]
    assert "Signal and noise, tensor by tensor" in result.report.read_text()
    told = json.loads(result.report.with_suffix(".json").read_text())
    assert told["layers"]["plain"]["photos"] == 24
