"""The command ``check`` and what a report says of a whole model."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from edgetpu_fake import TABLE, WORKS, install
from edgetpu_models import Net, chain, one_op

import corrosion_edge
from corrosion_edge.cli import cli
from corrosion_edge.quantize.edgetpu.check import check

DEFAULT = Path(corrosion_edge.__file__).parent / "models" / "default.tflite"


def _run(*words):
    return CliRunner().invoke(cli, ["check", *map(str, words)])


@pytest.fixture
def split(tmp_path):
    path = tmp_path / "split.tflite"
    path.write_bytes(chain("RELU", "SPACE_TO_DEPTH", "ABS", "RELU"))
    return path


def test_the_default_model_maps_whole_and_fits_the_cache():
    ran = _run(DEFAULT, "--target", "edgetpu", "--json")
    assert ran.exit_code == 0, ran.output
    data = json.loads(ran.stdout)
    assert (data["cpu_ops"], data["unknown_ops"], data["first_split"]) == (0, 0, None)
    assert data["parameters_cache"] == "fits"
    assert data["problems"] == []
    assert all(op["runs_on"] == "edgetpu" and op["maps"] == "yes" for op in data["ops"])
    assert [op["index"] for op in data["ops"]] == list(range(len(data["ops"])))
    assert data["parameters_bytes"] < DEFAULT.stat().st_size


def test_the_json_of_a_model_that_splits(split):
    ran = _run(split, "--json")
    assert ran.exit_code == 3
    data = json.loads(ran.stdout)
    assert (data["passed"], data["cpu_ops"], data["first_split"]) == (False, 2, 2)
    assert data["ops"][0] == {
        "index": 0, "op": "RELU", "version": 1, "runs_on": "edgetpu", "maps": "yes",
        "rule": data["ops"][0]["rule"], "source": data["ops"][0]["source"],
    }  # fmt: skip
    assert data["ops"][2]["change"]
    assert data["ops"][3]["blocked_by"] == 2
    assert "compiling" in data["ops"][3]["source"]
    assert "2 ops run on the CPU" in ran.stderr


@pytest.mark.parametrize(("allowed", "code"), [(0, 3), (1, 3), (2, 0)])
def test_so_many_ops_may_stay_on_the_cpu(split, allowed, code):
    assert _run(split, "--allow-cpu", allowed).exit_code == code


def test_the_table_has_runs_and_their_sources(split):
    out = _run(split).stdout
    assert "4 ops, 2 on the Edge TPU, 2 on the CPU, 0 unknown" in out
    assert "0-1        edgetpu  2 ops: RELU v1, SPACE_TO_DEPTH v1" in out
    assert "2          cpu      ABS v1: not in Coral's list of supported ops [1]" in out
    assert (
        "first split at op 2; on the CPU, 0 ops run before the Edge TPU's part and 2 behind" in out
    )
    assert "[1] https://coral.ai/docs/edgetpu/models-intro/#supported-operations" in out
    rows = [line.split()[0] for line in _run(split, "--all").stdout.splitlines()]
    assert {"0", "1", "2", "3"} <= set(rows)


def test_a_file_that_is_refused_says_so(tmp_path):
    path = tmp_path / "new.tflite"
    path.write_bytes(one_op("EXP", ((1, 4), (1, 4)), version=2))
    ran = _run(path, "--allow-cpu", 9)
    assert ran.exit_code == 3
    assert "refuses this file" in ran.stdout
    assert "refuses this file" in ran.stderr


@pytest.mark.parametrize("content", [b"", b"\0\0\0\0TFL3", b"text, not a model", None])
def test_a_damaged_or_absent_file_is_one_sentence(tmp_path, content):
    path = tmp_path / "bad.tflite"
    if content is not None:
        path.write_bytes(content)
    ran = _run(path)
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert ran.stderr.startswith(f"Error: {path}")
    assert len(ran.stderr.splitlines()) == 1


def test_a_truncated_model_file_is_one_sentence(tmp_path):
    path = tmp_path / "cut.tflite"
    path.write_bytes(DEFAULT.read_bytes()[:100_000])
    ran = _run(path)
    assert ran.exit_code == 1
    assert len(ran.stderr.splitlines()) == 1


def test_another_target_is_wrong_usage(split):
    assert _run(split, "--target", "hailo").exit_code == 2


def test_with_the_compiler_the_two_are_compared(split, tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, WORKS)
    assert "agree on every kind of op" in _run(split, "--compile").stdout
    wrong = WORKS.replace(TABLE, TABLE.replace("1          Mapped", "2          Mapped"))
    install(tmp_path, monkeypatch, wrong)
    assert (
        "the checker was wrong on RELU: 1 on the TPU, the compiler 2"
        in _run(split, "--compile").stdout
    )
    data = json.loads(_run(split, "--compile", "--json").stdout)
    assert data["edgetpu_compiler"]["checker_wrong"][0]["op"] == "RELU"


def test_without_the_compiler_its_flag_fails(split, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    ran = _run(split, "--compile")
    assert ran.exit_code == 1
    assert "not on PATH" in ran.stderr


def _edges(kind="INT8", shape=(1, 4, 4, 8), signature=None):
    net = Net()
    data, out = net.tensor(shape, kind, signature=signature), net.tensor(shape)
    net.op("QUANTIZE", [data], [out])
    return check(net.pack([data], [out]))


def test_floats_batches_and_open_sizes_are_problems_with_a_way_out():
    assert _edges().problems == ()
    (floats,) = _edges("FLOAT32").problems
    assert "FLOAT32" in floats.what
    (batch,) = _edges(shape=(4, 8)).problems
    assert "4 at a time" in batch.what
    (free,) = _edges(signature=(-1, 4, 4, 8)).problems
    assert "leaves a size open" in free.what
    assert all(p.change and p.source.startswith("https://") for p in (floats, batch, free))


def test_a_free_batch_alone_does_not_stop_an_op():
    assert _edges(signature=(-1, 4, 4, 8)).edgetpu_ops == 1


@pytest.mark.parametrize(
    ("mebibytes", "problem"), [(5.9, None), (7, "may not fit"), (9, "do not fit")]
)
def test_parameters_against_the_cache(mebibytes, problem):
    net = Net()
    size = round(mebibytes * 2**20 / 1024)
    data, out = net.tensor((1, 1024)), net.tensor((1, size))
    weights = net.tensor((size, 1024), data=np.zeros((size, 1024)))
    net.op("FULLY_CONNECTED", [data, weights], [out], options="FullyConnectedOptions")
    report = check(net.pack([data], [out]))
    assert report.parameters_bytes == size * 1024
    assert [p.what for p in report.problems if problem and problem in p.what] == [
        p.what for p in report.problems
    ]
    assert bool(report.problems) == bool(problem)


def test_parameters_of_ops_on_the_cpu_do_not_count():
    model = one_op(
        "HARD_SWISH", ((1, 8, 8, 4), (1, 8, 8, 4)), parameters=lambda net: [net.weights(4)]
    )
    assert check(model).parameters_bytes == 0


def test_no_tensorflow_is_needed():
    code = (
        "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None\n"
        "from corrosion_edge.cli import cli\n"
        f"cli(['check', {str(DEFAULT)!r}])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
