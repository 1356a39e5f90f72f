"""The command `reproduce` with its real runner, alone and by several, killed and repeated."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

import keras

from corrosion_edge.trainer import backbones

TRAININGS = 8  # two poolings, frozen and fine-tuned, two seeds each

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture(scope="module")
def start(
    rendered: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., "subprocess.Popen[bytes]"]:
    """Starts the command on two cores, in this process with as many threads as each of two has."""
    path = tmp_path_factory.mktemp("weights") / "tiny.npz"
    keras.utils.set_random_seed(3)
    network, _ = backbones.build("tiny", 64, "none")
    names = [f"{x.name}/{v.name}" for x in network.layers for v in x.weights]
    np.savez(path, **dict(zip(names, network.get_weights(), strict=True)))
    words = [rendered, "--tables", "2,extra", "--backbones", "tiny", "--fine-tune", "0.2",
             "--seeds", "2", "--epochs", "3,2,2", "--weights", f"tiny={path}"]  # fmt: skip
    cores = sorted(os.sched_getaffinity(0))[:2]

    def started(out: Path, *more: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "corrosion_edge", "reproduce", *words, "--out", out, *more]
        return subprocess.Popen(
            list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={**os.environ, "TF_NUM_INTRAOP_THREADS": "1",
                 "PYTHONPATH": str(Path(__file__).parents[2])},
            preexec_fn=lambda: os.sched_setaffinity(0, cores),  # noqa: PLW1509 - no thread runs
        )  # fmt: skip

    return started


@pytest.fixture(scope="module")
def whole(start: Start, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], Any]:
    """What it gives when nothing happens to it."""
    out = tmp_path_factory.mktemp("reproduced") / "whole"
    _end(start(out))
    assert _done(out) == TRAININGS
    return _outcomes(out)


def _end(process: "subprocess.Popen[bytes]") -> bytes:
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert b"Traceback" not in said
    return said


def _wait_for(process: "subprocess.Popen[bytes]", out: Path, trainings: int) -> None:
    while _done(out) < trainings and process.poll() is None:
        time.sleep(0.02)
    time.sleep(0.1)  # into the training that follows


def _kill(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def _done(out: Path) -> int:
    return len(list(out.glob("ledger/rows/*/[!.]*.json")))


def _outcomes(out: Path) -> dict[tuple[str, int], Any]:
    rows = json.loads((out / "results.json").read_text())["rows"]
    return {
        (row["key"], outcome["seed"]): {k: v for k, v in outcome.items() if k != "seconds"}
        for row in rows
        for outcome in row["outcomes"]
    }


def _below(pid: int) -> Iterator[int]:
    """The processes that a process started, and those that they did."""
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            yield child
            yield from _below(child)


def _worker(process: "subprocess.Popen[bytes]", name: bytes) -> int:
    """A process below it whose command line has ``name``."""
    return next(
        pid for pid in _below(process.pid) if name in Path(f"/proc/{pid}/cmdline").read_bytes()
    )


def test_killed_while_it_trains_it_ends_with_the_same_results(start, whole, tmp_path):
    out = tmp_path / "out"
    for wanted in (1, 4):
        process = start(out)
        _wait_for(process, out, wanted)
        _kill(process)
        assert wanted <= _done(out) < TRAININGS
    _end(start(out))
    assert _outcomes(out) == whole


@pytest.mark.parametrize("ray", [False, True], ids=["processes", "Ray"])
def test_by_two_one_of_whom_is_killed_the_results_are_the_same(start, whole, tmp_path, ray):
    if ray and (os.cpu_count() or 1) < 2:
        pytest.skip("two actors need two cores")
    if ray:
        pytest.importorskip("ray", reason="Ray is not installed (the extra 'ray')")
    out = tmp_path / "out"
    process = start(out, "--seeds", "1", "--workers", "2", *(["--ray", "local"] if ray else []))
    _wait_for(process, out, 1)
    os.kill(_worker(process, b"_Actor" if ray else b"spawn_main"), signal.SIGKILL)
    said = _end(process)
    assert said.count(b": test accuracy") == _done(out) == TRAININGS / 2
    assert _outcomes(out) == {(row, seed): x for (row, seed), x in whole.items() if seed == 1}
