"""The command `reproduce` with its real runner, killed and repeated."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

import keras

from corrosion_edge.trainer import backbones

TRAININGS = 8  # two poolings, frozen and fine-tuned, two seeds each


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "tiny.npz"
    keras.utils.set_random_seed(3)
    network, _ = backbones.build("tiny", 64, "none")
    names = [f"{x.name}/{v.name}" for x in network.layers for v in x.weights]
    np.savez(path, **dict(zip(names, network.get_weights(), strict=True)))
    return path


def _start(data: Path, out: Path, weights: Path) -> subprocess.Popen[bytes]:
    words = [data, "--out", out, "--tables", "2,extra", "--backbones", "tiny", "--fine-tune", "0.2",
             "--pooling", "avg,max", "--seeds", "2", "--epochs", "3,2,2",
             "--weights", f"tiny={weights}"]  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-m", "corrosion_edge", "reproduce", *map(str, words)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


def _done(out: Path) -> int:
    return len(list(out.glob("ledger/rows/*/[!.]*.json")))


def _outcomes(out: Path) -> dict[tuple[str, int], Any]:
    rows = json.loads((out / "results.json").read_text())["rows"]
    return {
        (row["key"], outcome["seed"]): {k: v for k, v in outcome.items() if k != "seconds"}
        for row in rows
        for outcome in row["outcomes"]
    }


def test_killed_while_it_trains_it_ends_with_the_same_results(rendered, tmp_path, weights):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert _start(rendered, whole, weights).wait() == 0
    assert _done(whole) == TRAININGS
    for wanted in (1, 4):
        process = _start(rendered, broken, weights)
        while _done(broken) < wanted and process.poll() is None:
            time.sleep(0.02)
        time.sleep(0.1)  # into the training that follows
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert wanted <= _done(broken) < TRAININGS
    last = _start(rendered, broken, weights)
    _, said = last.communicate()
    assert last.returncode == 0, said
    assert _outcomes(broken) == _outcomes(whole)
