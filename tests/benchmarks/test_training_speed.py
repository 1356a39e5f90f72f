from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

from corrosion_edge.benchmarks.training import plain
from corrosion_edge.benchmarks.training.photos import photos_of
from corrosion_edge.benchmarks.training.scale import Cost
from corrosion_edge.benchmarks.training.shared import Compared
from corrosion_edge.trainer.reproduce.paper import Method


def test_costs_are_what_is_spent_once_and_what_repeats():
    cost = Cost.of(100.0, [(50.0, 10.0, 10.0), (2.0,), ()])
    assert cost.parts == ((3, 10.0), (1, 2.0))
    assert cost.once == 68
    assert cost.seconds == 100
    large = cost.scaled(photos=4, epochs=5)
    assert large.seconds == 68 + 15 * 40 + 5 * 8


def test_ratios_and_losses_are_told():
    table = Compared("Table 2", (100.0, 10.0), (9000.0, 750.0), ((0.5, (0.4, 0.45)),))
    lines = table.lines()
    assert lines[0].endswith("plain Keras 100 s, shared 10 s: 10.0 times as fast")
    assert "computed for 1202 photos, 50 epochs" in lines[1]
    assert "12.0 times" in lines[1]
    assert "plain Keras 0.500, shared 0.400 to 0.450" in lines[2]
    assert table.alike
    assert not replace(table, losses=((0.7, (0.4, 0.45)),)).alike
    assert replace(table, losses=((0.7, (0.2, 0.45)),)).alike


def test_a_part_of_the_photos_keeps_both_classes(rendered: Path):
    samples = photos_of(rendered, 20, 32).samples
    assert len(samples["train"]) == 20
    assert len(samples["validation"]) == round(20 / 84 * 24)
    assert all(set(part.labels) == {0, 1} for part in samples.values())


def test_the_plain_script_trains_both_kinds_of_row(rendered: Path):
    samples = photos_of(rendered, 40, 32).samples
    method = Method(frozen_epochs=3, fine_tune_epochs=(2, 3), image_size=32)
    for ratio, epochs in ((None, [3]), (0.2, [2, 3])):
        done = plain.train(
            samples["train"], samples["validation"], method, backbone="tiny", weights="none",
            pooling="avg", fine_tune=ratio, seed=1,
        )  # fmt: skip
        assert [len(part) for part in done.epochs] == epochs
        assert done.seconds > sum(sum(part) for part in done.epochs)
        assert np.isfinite(done.loss)
