"""Golden: models as Google's compiler took them, against what the checker says of them.

A pair is ``NAME.tflite`` and ``NAME_edgetpu.tflite``; the ops of the latter, without its custom
op, are what the compiler left on the CPU. It changes their versions and indexes, not their order.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from corrosion_edge.bundle import Bundle
from corrosion_edge.compilation import Compilation
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.errors import BackendError, BundleError
from corrosion_edge.modelfile.compiled import wrap
from corrosion_edge.quantize.edgetpu.check import check
from corrosion_edge.quantize.edgetpu.graph import Op, read
from corrosion_edge.quantize.edgetpu.score import score

NAMES = {
    "deeplabv3_mnv2_dm05_pascal_quant": 8,
    "keras_lstm_mnist_ptq": 0,
    "mobilenet_v1_0.25_128_quant": 0,
    "movenet_single_pose_lightning_ptq": 59,
    "posenet_mobilenet_v1_075_481_641_16_quant_decoder": 1,
    "split_concat": 0,
}


@pytest.fixture
def pairs(shared: Path) -> Path:
    folder = shared / "data" / "edgetpu_pairs"
    if not folder.is_dir():
        pytest.skip(f"no pairs of models: {folder} is absent")
    return folder


def _looks(op: Op) -> tuple[object, ...]:
    read_at_run_time = [t for t in op.inputs if t and not t.constant]
    return (
        op.title,
        [(t.type, t.shape) for t in read_at_run_time],
        [(t.type, t.shape) for t in op.outputs],
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_ops_left_on_the_cpu_are_exactly_those_the_checker_says(pairs, name):
    model = (pairs / f"{name}.tflite").read_bytes()
    compiled = read((pairs / f"{name}_edgetpu.tflite").read_bytes())
    left = [_looks(op) for op in compiled.ops if op.custom != "edgetpu-custom-op"]
    ops, report = read(model).ops, check(model)
    assert [_looks(ops[op.index]) for op in report.ops if op.runs_on != "edgetpu"] == left
    assert (report.cpu_ops, report.unknown_ops) == (NAMES[name], 0)
    assert len(compiled.ops) == len(left) + 1


@pytest.mark.parametrize("name", NAMES)
def test_a_prediction_is_scored_op_by_op(pairs, name):
    model = (pairs / f"{name}.tflite").read_bytes()
    compiled = (pairs / f"{name}_edgetpu.tflite").read_bytes()
    report = check(model)
    found = score(report, model, compiled)
    assert found.wrong == ()
    assert found.left == tuple(op.index for op in report.ops if op.runs_on == "cpu")
    assert found.mapped + NAMES[name] == len(report.ops)


@pytest.mark.parametrize(("place", "said"), [(0, "cpu"), (90, "edgetpu"), (91, "unknown")])
def test_a_wrong_prediction_is_found(pairs, place, said):
    """MoveNet with one op told wrong: those after the split stay, most before it do not."""
    name = "movenet_single_pose_lightning_ptq"
    model = (pairs / f"{name}.tflite").read_bytes()
    report = check(model)
    index = [op.index for op in report.ops if op.runs_on != "cpu"][3] if said == "cpu" else place
    ops = [replace(op, runs_on=said) if op.index == index else op for op in report.ops]
    compiled = (pairs / f"{name}_edgetpu.tflite").read_bytes()
    found = score(replace(report, ops=tuple(ops)), model, compiled)
    truth = "edgetpu" if said == "cpu" else "cpu"
    expected = [] if said == "unknown" else [(index, said, truth)]
    assert [(one.index, one.checked, one.compiled) for one in found.wrong] == expected
    assert found.settled == (said == "unknown")


@pytest.mark.parametrize("other", NAMES)
def test_a_model_is_not_scored_by_another_ones(pairs, other):
    model = (pairs / "mobilenet_v1_0.25_128_quant.tflite").read_bytes()
    compiled = (pairs / f"{other}_edgetpu.tflite").read_bytes()
    if other.startswith("mobilenet"):
        assert score(check(model), model, compiled).left == ()
    else:
        with pytest.raises(BundleError, match="another network"):
            score(check(model), model, compiled)


def test_a_real_compiled_network_in_a_model_file_is_refused_on_a_cpu(pairs, tmp_path):
    name = "mobilenet_v1_0.25_128_quant"
    outputs = {"scores": "MobilenetV1/Predictions/Reshape_1"}
    model = (pairs / f"{name}.tflite").read_bytes()
    source = Bundle.seal(model, {}, name="MobileNet", outputs=outputs)
    made = wrap(source, (pairs / f"{name}_edgetpu.tflite").read_bytes(), "net.tflite", "16.0")
    assert made.manifest.outputs == outputs
    assert made.manifest.compiled == Compilation(
        source="net.tflite",
        source_sha256=source.manifest.model_sha256,
        mapped_ops=31,
        cpu_ops=0,
        compiler="16.0",
    )
    made.save(tmp_path / "net_edgetpu.tflite")
    with pytest.raises(BackendError, match=r"net_edgetpu\.tflite: .* Edge TPU.* use net\.tflite"):
        Classifier.open(tmp_path / "net_edgetpu.tflite")


def test_all_pairs_are_tested(pairs):
    found = {p.name.removesuffix("_edgetpu.tflite") for p in pairs.glob("*_edgetpu.tflite")}
    assert found == set(NAMES)


def test_the_entry_and_the_branches_of_movenet(pairs):
    report = check((pairs / "movenet_single_pose_lightning_ptq.tflite").read_bytes())
    assert report.first_split == 0
    assert report.cpu_before == (0, 1)
    assert report.cpu_behind[0] == 89
    assert [op.op for op in report.ops if op.index in {89, 100}] == ["ARG_MAX", "DEPTHWISE_CONV_2D"]
    assert report.ops[100].runs_on == "edgetpu"  # behind op 89 in order, not in dependence


def test_a_compiled_model_runs_where_it_was_compiled_to(pairs):
    name = "posenet_mobilenet_v1_075_481_641_16_quant_decoder_edgetpu.tflite"
    report = check((pairs / name).read_bytes())
    assert [op.runs_on for op in report.ops] == ["edgetpu", "cpu"]
