from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from corrosion_edge.benchmarks.video import Network, bound, main
from corrosion_edge.device.kernels import KERNELS

COST = st.floats(1e-4, 1.0)


@given(st.integers(1, 64), COST, COST)
def test_at_the_bound_all_cores_are_busy(cores, decode, invoke):
    assert bound(cores, decode, invoke) * (decode + invoke) == pytest.approx(cores)


@pytest.mark.parametrize("kernels", KERNELS)
def test_what_watch_is_told_is_what_is_measured_alone(kernels):
    network = Network(2, None, kernels)
    with network.open() as classifier:
        assert "2 threads" in classifier.backend.name
        assert classifier.backend.xnnpack is (kernels == "xnnpack")
    assert network.words == ["--threads", "2", "--kernels", kernels]
    assert Network(1, Path("a")).words[-2:] == ["--model", "a"]


def test_a_recording_is_watched_and_compared_with_the_network_alone():
    pytest.importorskip("av", reason="PyAV is not installed")
    done = CliRunner().invoke(main, ["--frames", "90", "--rounds", "1"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert lines[0].startswith("90 frames of 1920x1080, ")
    assert [line.split(":")[0] for line in lines[1:5]] == ["watch", "both", "invoke", "decode"]
    for line, name in zip(lines[-3:-1], ("invoke", "both"), strict=True):
        ratio, rest = line.removeprefix(f"watch / {name}: ").split(" (")
        assert float(ratio) > 0
        assert rest.startswith(ratio)  # of one round
