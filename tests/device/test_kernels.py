"""Whose kernels compute on the CPU, from the option to what reports say of it."""

import json

import pytest
from click.testing import CliRunner

from corrosion_edge.bundle import DEFAULT_MODEL, Bundle
from corrosion_edge.cli import cli
from corrosion_edge.device.backends.litert import LiteRtBackend
from corrosion_edge.device.kernels import KERNELS
from corrosion_edge.errors import GateError


def run(*words):
    return CliRunner().invoke(cli, list(map(str, words)), catch_exceptions=False)


@pytest.mark.parametrize("kernels", KERNELS)
def test_the_runtime_takes_the_kernels_that_were_asked_for(kernels):
    with LiteRtBackend(Bundle.load(DEFAULT_MODEL), threads=1, kernels=kernels) as backend:
        assert backend.xnnpack in (kernels == "xnnpack", None)
        assert backend.name.endswith("built-in kernels") == (kernels == "builtin")


def test_others_are_refused():
    with pytest.raises(ValueError, match="expected one of xnnpack, builtin, got 'neon'"):
        LiteRtBackend(Bundle.load(DEFAULT_MODEL), kernels="neon")
    refused = run("watch", "--camera", "demo", "--kernels", "neon")
    assert refused.exit_code == 2
    assert "--kernels" in refused.stderr


def test_every_verdict_of_watch_names_them():
    how = ("watch", "--camera", "demo", "--frames", 2, "--json", "--kernels", "builtin")
    lines = [json.loads(line) for line in run(*how).stdout.splitlines()]
    verdicts = [line for line in lines if "label" in line]
    assert len(verdicts) == 2
    assert all(line["backend"].endswith("built-in kernels") for line in verdicts)


def test_a_benchmark_measures_them_and_says_so():
    how = ("--runs", 2, "--processes", 1, "--threads", 1, "--size", "64x48", "--json", "-")
    result = run("benchmark", "--kernels", "builtin", *how)
    assert result.exit_code == GateError.exit_code  # void: two runs are too few
    (measured,) = json.loads(result.stdout)["results"]
    assert {part["xnnpack"] for part in measured["rounds"]} <= {"off", "unavailable"}
    assert all(part["backend"].endswith("built-in kernels") for part in measured["rounds"])
