"""The rungs: an int8 file that answers as simulated, and the choice among them."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from ladder_networks import converted, opened, pictures
from test_ladder_network import _interpreted, _probability

from corrosion_edge.errors import BackendError
from corrosion_edge.quantize import flatbuffer
from corrosion_edge.quantize.drift import Limits, compare
from corrosion_edge.quantize.ladder import arithmetic, integer, ranges, statistics
from corrosion_edge.quantize.ladder.fold import fold
from corrosion_edge.quantize.ladder.ladder import Photos, Rung, best, climb, reaches
from corrosion_edge.quantize.ladder.network import WEIGHTED
from corrosion_edge.quantize.ladder.page import rungs_section
from corrosion_edge.quantize.ladder.rounding import rounded, rounded_weights, rounder, scales
from corrosion_edge.quantize.ladder.solve import settle, solve
from corrosion_edge.quantize.ladder.tune import Tuning, tune

LABELS = np.repeat([0, 1], 50)


@pytest.mark.parametrize("name", ["tiny", "efficientnet-lite0", "efficientnetv2-b0",
                                  pytest.param("densenet121", marks=pytest.mark.slow)])  # fmt: skip
def test_every_tensor_of_the_integer_file_is_as_simulated(name):
    """Operator by operator, each on what the interpreter itself gave the one before."""
    made, original = converted(name), opened(name)
    network = fold(original)[0] if fold(original) else original
    found = statistics.gather(network, pictures(8).astype(np.float32))
    chosen = ranges.choose(network, found.histograms, "sensitivity")
    model = integer.write(made.integer, network, chosen, original, {})
    assert flatbuffer.problems(model) == []
    gone = flatbuffer.operators(made.integer) - flatbuffer.operators(model)
    assert gone.total() == len(original.ops) - len(network.ops)
    values, weights = (
        _tensors(network, chosen, model, pictures(1, seed=5)),
        rounded_weights(network),
    )
    for op in network.ops:
        expected = rounded(arithmetic.apply(network, op, values, weights), chosen[op.output])
        steps = np.abs(expected.numpy() - values[op.output]) / chosen[op.output].scale
        # Constants of ADD and MUL are rounded too, and a step of weights hides in each bias.
        assert np.quantile(steps, 0.99) <= (3 if op.kind in ("ADD", "MUL", "SUB") else 1) + 1e-3
        if values[op.output].size >= 16:  # four values of a map may well round to the same
            assert np.ptp(values[op.output]) > 0


def _tensors(network, chosen, model, picture):
    """What the reference kernels put into every tensor, in float, by the number of ours."""
    runtime = Interpreter(
        model_content=model,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
    )
    runtime.allocate_tensors()
    runtime.set_tensor(runtime.get_input_details()[0]["index"], picture)
    runtime.invoke()
    net = flatbuffer.unpack(model)
    kinds = [
        flatbuffer.enumerated(schema.BuiltinOperator, c.builtinCode) for c in net.operatorCodes
    ]
    theirs = [op for op in net.subgraphs[0].operators if kinds[op.opcodeIndex] != "QUANTIZE"]
    values = {network.input: picture.astype(np.float32) - network.offset}
    for ours, op in zip(network.ops, theirs, strict=True):
        raw = runtime.get_tensor(int(op.outputs[0])).astype(np.float32)
        held = chosen[ours.output]
        values[ours.output] = (raw - held.zero) * held.scale
    return values


def test_another_networks_frame_is_refused():
    original = opened("tiny")
    with pytest.raises(BackendError, match="different operators"):
        integer.write(converted("efficientnet-lite0").integer, original, {}, original, {})


def test_sensitivity_is_how_the_log_odds_move():
    """Against a difference quotient: one place of one tensor is moved a little."""
    network, _ = fold(opened("tiny"))
    pixels = pictures(1, seed=6).astype(np.float32)
    found = statistics.gather(network, pixels)
    op = network.ops[2]
    z = arithmetic.log_odds(network, pixels)[0]
    photo = (_probability(z) * _probability(-z)) ** 2 + 0.002
    place = np.unravel_index(found.places[op.output].argmax(), found.places[op.output].shape)
    shape = arithmetic.run(network, pixels - network.offset)[op.output].shape
    total = 0.0
    for channel in range(shape[-1]):
        move = np.zeros(shape, np.float32)
        move[(*place, channel)] = 1e-3

        def change(number, value, move=move):
            return value + move if number == op.output else value

        total += ((arithmetic.log_odds(network, pixels, None, change)[0] - z) / 1e-3) ** 2
    assert found.places[op.output][place] == pytest.approx(photo * total, rel=0.05)


def test_what_only_the_map_depends_on_keeps_its_range():
    """The log-odds do not move with it: weighed by them alone, any range is as good as another."""
    network, _ = fold(opened("tiny"))
    pixels = pictures(16, seed=9).astype(np.float32)
    found = statistics.gather(network, pixels)
    tensor = next(op.output for op in network.ops if list(network.shapes[op.output])[-1:] == [1])
    values = arithmetic.run(network, pixels - network.offset)[tensor].numpy()
    held = ranges.choose(network, found.histograms, "sensitivity")[tensor]
    clipped = np.clip(values, held.low, held.high)
    assert np.abs(clipped - values).mean() < 0.02 * np.abs(values).mean()
    assert (found.places[tensor] == 1).all()


def test_solving_makes_up_for_coarse_ranges():
    network, _ = fold(opened("tiny"))
    pixels = pictures(64, seed=7).astype(np.float32)
    found = statistics.gather(network, pixels)
    coarse = _coarse(network, found)
    exact = arithmetic.log_odds(network, pixels)
    solved = solve(network, coarse, pixels, found.places)
    errors = [
        np.square(arithmetic.log_odds(network, pixels, weights, rounder(coarse)) - exact).mean()
        for weights in (rounded_weights(network), solved)
    ]
    assert errors[1] < 0.6 * errors[0]


def _coarse(network, found):
    """Ranges four times as wide as they need be, but for the ends."""
    chosen = ranges.choose(network, found.histograms, "minimum and maximum")
    ends = {network.scores, network.log_odds}
    return {n: r if n in ends else ranges.Range(4 * r.scale, r.zero) for n, r in chosen.items()}


def test_tuning_brings_the_rounded_network_nearer_also_on_unseen_pictures():
    network, _ = fold(opened("tiny"))
    seen, unseen = (pictures(256, seed=seed).astype(np.float32) for seed in (7, 8))
    coarse = _coarse(network, statistics.gather(network, seen))
    steps = Tuning(epochs=6, batch=8, rate=3e-4)
    learned = tune(network, {}, coarse, lambda _: seen, steps)
    assert set(learned) == {i for op in network.ops if op.kind in WEIGHTED for i in op.inputs[1:3]}
    # The training's last digits are the processor's: 0.91 of the error was seen to be left.
    for some, share in ((seen, 0.7), (unseen, 0.95)):
        exact = arithmetic.log_odds(network, some)
        before, after = (
            np.square(arithmetic.log_odds(network, some, weights, rounder(coarse)) - exact).mean()
            for weights in ({}, learned)
        )
        assert after < share * before


def test_settled_weights_are_on_the_networks_steps_and_answer_as_before():
    network, _ = fold(opened("tiny"))
    pixels = pictures(64, seed=7).astype(np.float32)
    found = statistics.gather(network, pixels)
    chosen = ranges.choose(network, found.histograms, "minimum and maximum")
    other = {
        i: network.constants[i] * np.float32(0.97)
        for op in network.ops if op.kind in WEIGHTED for i in op.inputs[1:3]
    }  # fmt: skip
    settled = settle(network, other, chosen, pixels, found.places)
    for op in network.ops:
        if op.kind in WEIGHTED:
            steps = scales(network.constants[op.inputs[1]], 3 if op.kind[0] == "D" else 0,
                           one=op.kind == "FULLY_CONNECTED")  # fmt: skip
            axis = -1 if op.kind[0] == "D" else 0
            wide = steps.reshape(
                [-1 if i == axis % 4 else 1 for i in range(settled[op.inputs[1]].ndim)]
            )
            assert np.abs(settled[op.inputs[1]] / wide % 1 - 0.5).min() > 0.499
    wanted, given, own = (
        arithmetic.log_odds(network, pixels, weights, rounder(chosen))
        for weights in (other, settled, {})
    )
    assert np.abs(given - wanted).mean() < 0.3 * np.abs(own - wanted).mean()


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"batch": 0}, {"rate": 0}, {"features": -1.0}])
def test_tuning_that_learns_nothing_is_refused(wrong):
    with pytest.raises(ValueError, match="expected positive numbers"):
        Tuning(**wrong)


def test_climbing_yields_rungs_that_are_judged_as_finished_files():
    made, network = converted("tiny"), opened("tiny")
    held_out = pictures(30, seed=9)
    z = arithmetic.log_odds(network, held_out)
    before, labels = _probability(z), (z > np.median(z)).astype(np.int64)

    def judge(model):
        after = _interpreted(model, held_out) / 256
        return compare(labels, before, after, 0.5, Limits.none(), intervals=False)

    fitted = pictures(24).astype(np.float32)
    photos = Photos(fitted, held_out, z, lambda _: fitted)
    rungs = list(climb(made, photos, judge, "finetune"))
    assert [rung.name for rung in rungs] == ["plain", "ranges", "solved", "tuned"]
    assert rungs[-1].notes["epochs"] == Tuning().epochs
    assert all(rung.report.mean_change < 0.1 for rung in rungs)
    assert len({rung.model for rung in rungs}) == 4
    assert set(rungs[1].notes["mean_change_by_ranges"]) == set(ranges.METHODS)
    (only,) = climb(made, photos, judge, "plain", lambda _: 0.25)
    assert (only.name, only.alarm_rise) == ("plain", 0.25)
    assert "alarm_rise" in only.missed
    assert not any("alarm_rise" in rung.missed for rung in rungs)
    section = rungs_section(rungs, best(rungs))
    assert section.blocks[0].text.startswith(f"Taken: {best(rungs).name}")


def _rung(name: str, change: float, limits: Limits | None = None) -> Rung:
    before = np.where(LABELS == 1, 0.9, 0.1)
    report = compare(LABELS, before, before + change, 0.5, limits or Limits.none(), intervals=False)
    return Rung(name=name, what="for a test", model=b"", report=report, seconds=1.0)


def test_the_first_rung_at_the_aims_is_taken():
    rungs = [_rung("far", 0.05), _rung("near", 0.009), _rung("nearer", 0.001)]
    assert [reaches(rung) for rung in rungs] == [False, True, True]
    assert best(rungs).name == "near"
    assert rungs[0].missed == ["mean_change"]
    assert rungs[0].to_dict()["aims_missed"] == ["mean_change"]


def test_without_one_the_nearest_within_the_limits_is_taken():
    tight = dataclasses.replace(Limits.none(), mean_change=0.03)
    assert best([_rung("broken", 0.05, tight), _rung("within", 0.02, tight)]).name == "within"
    assert best([_rung("worse", 0.06, tight), _rung("bad", 0.05, tight)]).name == "bad"
