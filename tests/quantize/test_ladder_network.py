"""Taking networks apart, running them, folding their input: against LiteRT's own interpreter."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

from ai_edge_litert.interpreter import Interpreter
from ladder_networks import SIZE, converted, opened, pictures

from corrosion_edge.errors import BackendError
from corrosion_edge.quantize.ladder import arithmetic
from corrosion_edge.quantize.ladder.fold import fold

NETWORKS = ["tiny", "efficientnet-lite0", "efficientnetv2-b0", "densenet121"]


def _interpreted(model: bytes, pixels: np.ndarray) -> np.ndarray:
    runtime = Interpreter(model_content=model)
    runtime.allocate_tensors()
    end = next(d for d in runtime.get_output_details() if d["name"] == "scores")
    scores = []
    for picture in pixels:
        kind = runtime.get_input_details()[0]["dtype"]
        runtime.set_tensor(runtime.get_input_details()[0]["index"], picture[None].astype(kind))
        runtime.invoke()
        scores.append(runtime.get_tensor(end["index"])[0, 1])
    return np.array(scores)


def _probability(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_answers_as_in_the_interpreter(name):
    network, pixels = opened(name), pictures(4, seed=2)
    arithmetic.require_known(network)
    expected = _interpreted(converted(name).float_model, pixels)
    assert np.ptp(expected) > 0.01
    found = _probability(arithmetic.log_odds(network, pixels))
    assert found == pytest.approx(expected, abs=2e-4)


def test_an_unknown_operator_is_named():
    network = opened("tiny")
    odd = dataclasses.replace(network.ops[0], kind="HARD_SWISH")
    with pytest.raises(BackendError, match="HARD_SWISH"):
        arithmetic.require_known(dataclasses.replace(network, ops=(odd, *network.ops[1:])))


def test_folding_one_scale_for_all_colours_is_exact():
    network, pixels = opened("efficientnet-lite0"), pictures(4, seed=3)
    folded, how = fold(network)
    assert (how.zero, how.exact, folded.offset) == (127, True, 127)
    assert len(folded.ops) < len(network.ops)
    before = arithmetic.log_odds(network, pixels)
    assert arithmetic.log_odds(folded, pixels) == pytest.approx(before, abs=1e-3)


def test_folding_a_scale_for_each_colour_changes_the_border_alone():
    network = opened("efficientnetv2-b0")
    folded, how = fold(network)
    assert not how.exact
    assert how.zero == 114  # the mean of ImageNet's means
    first = folded.ops[0].output
    x = pictures(2, seed=4).astype(np.float32)
    before = arithmetic.run(network, x)[first].numpy()
    after = arithmetic.run(folded, x - how.zero)[first].numpy()
    assert after[:, :-1, :-1] == pytest.approx(before[:, :-1, :-1], abs=1e-3)
    assert np.abs(after[:, -1] - before[:, -1]).max() > 1e-3


def test_nothing_to_fold_is_none():
    network = opened("tiny")
    folded, _ = fold(network)
    assert fold(folded) is None


def test_shapes_are_those_of_the_file():
    network = opened("tiny")
    assert network.shapes[network.input] == (1, SIZE, SIZE, 3)
    assert {network.names[i] for i in network.outputs} == {"scores", "map"}
