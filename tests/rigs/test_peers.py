"""All peers on one small network: whoever answers, answers as the network says."""

import subprocess
import sys
from pathlib import Path

import pytest
import rig

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

from corrosion_edge.benchmarks.peers import pictures
from corrosion_edge.benchmarks.peers.files import filled, network
from corrosion_edge.benchmarks.peers.result import Difference, Row
from corrosion_edge.benchmarks.peers.rounds import Turns, measure
from corrosion_edge.benchmarks.peers.running import Running, environment
from corrosion_edge.benchmarks.peers.table import PEERS

STEP = 1 / 256

_UNSIGNED = """
import numpy as np, onnx, onnxruntime
from onnx import TensorProto, helper, numpy_helper
from corrosion_edge.benchmarks.peers.onnx_files import unsigned

def network():
    node, floats = helper.make_node, TensorProto.FLOAT
    x, y = (helper.make_tensor_value_info(name, floats, [1, 8]) for name in "xy")
    constants = {"s": np.float32(0.02), "z": np.int8(-3), "w": np.arange(-4, 4, dtype=np.int8),
                 "ws": np.float32(0.1), "wz": np.int8(0)}
    nodes = [node("QuantizeLinear", ["x", "s", "z"], ["q"]), node("Identity", ["q"], ["i"]),
             node("DequantizeLinear", ["i", "s", "z"], ["d"]),
             node("DequantizeLinear", ["w", "ws", "wz"], ["v"]), node("Mul", ["d", "v"], ["m"]),
             node("QuantizeLinear", ["m", "s", "z"], ["o"]),
             node("DequantizeLinear", ["o", "s", "z"], ["y"])]
    graph = helper.make_graph(nodes, "net", [x], [y],
                              [numpy_helper.from_array(v, n) for n, v in constants.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

options = onnxruntime.SessionOptions()
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
x = np.random.default_rng(0).normal(0, 3, (1, 8)).astype(np.float32)
answers = [onnxruntime.InferenceSession(model.SerializeToString(), options).run(None, {"x": x})[0]
           for model in (network(), unsigned(network()))]
assert np.array_equal(*answers), answers
constants = {t.name: numpy_helper.to_array(t) for t in unsigned(network()).graph.initializer}
assert sorted(constants) == ["s", "w", "ws", "wz", "z_unsigned"], sorted(constants)
assert constants["z_unsigned"] == 125 and constants["z_unsigned"].dtype == np.uint8
assert constants["w"].dtype == constants["wz"].dtype == np.int8
"""
"""A quantized product; its weights stay signed."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rig.require("peers")
    return filled("tiny", tmp_path_factory.mktemp("networks") / "tiny", rig.rigs_folder(),
                  {peer.file for peer in PEERS})  # fmt: skip


@pytest.fixture(scope="module")
def rows(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Row]:
    scratch, rigs = tmp_path_factory.mktemp("scratch"), rig.rigs_folder()
    turns = Turns(1, 1, 0, pictures.rendered(scratch, (320, 180)).decoded(scratch))
    peers = [peer for peer in PEERS if peer.name != "keras"]  # its way is that of keras-function
    found = measure(
        network(folder, turns.pictures, scratch), peers, turns, lambda peer: Running(peer, rigs)
    )
    return {row.peer: row for row in found}


def _far(rows: dict[str, Row], peer: str, ours: str = "ours") -> Difference:
    if rows[peer].reason.startswith("not "):
        pytest.skip(rows[peer].reason)
    assert not rows[peer].reason
    return Difference.of(rows[peer].prepared_scores, rows[ours].prepared_scores)


@pytest.mark.parametrize("peer", ["litert", "mediapipe", "onnxruntime"])
def test_the_same_integers_give_the_same_scores(rows, peer):
    assert _far(rows, peer).most <= 2 * STEP


def test_openvino_computes_some_of_it_in_its_own_way(rows):
    assert _far(rows, "openvino").mean < 0.1


@pytest.mark.parametrize(
    ("peer", "far"),
    [("onnxruntime-float", 1e-3), ("keras-function", 1e-3), ("openvino-float", 0.1)],
)
def test_floats_agree_with_each_other(rows, peer, far):
    assert _far(rows, peer, "litert-float").most < far


@pytest.mark.parametrize("peer", [peer.name for peer in PEERS if "keras" not in peer.name])
def test_frames_in_memory_give_the_scores_of_their_files(rows, peer):
    """Keras scales arrays by another filter than files."""
    if rows[peer].reason.startswith("not "):
        pytest.skip(rows[peer].reason)
    assert Difference.of(rows[peer].camera_scores, rows[peer].frame_scores).mean < 0.05


def test_scores_tell_pictures_apart(rows):
    scores = rows["ours"].prepared_scores
    assert max(scores) - min(scores) > 0.2


def test_onnx_runtimes_ways_with_a_network_are_timed(folder):
    done = subprocess.run(
        [sys.executable, "-m", "corrosion_edge.benchmarks.peers.joins", folder / "int8.tflite"],
        env=environment(rig.rigs_folder(), "peers"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = [line for line in done.stdout.splitlines() if line.endswith(" ms")]
    assert [line.split(":")[0] for line in told] == [
        "activations unsigned", "as tf2onnx leaves it", "int8 joined by the session"
    ]  # fmt: skip


def test_unsigned_activations_leave_no_answer_changed():
    """ONNX Runtime itself on both kinds of one small network, operators not joined."""
    rig.require("peers")
    done = subprocess.run(
        [sys.executable, "-c", _UNSIGNED],
        env=environment(rig.rigs_folder(), "peers"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
