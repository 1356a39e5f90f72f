"""What stands behind ratios of the peers: parts of opening, outputs, and pairs of processes."""

import sys

import pytest
from click.testing import CliRunner

from corrosion_edge.benchmarks.peers import joins, parts
from corrosion_edge.bundle import DEFAULT_MODEL


def test_parts_of_the_default_model_are_told():
    pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
    done = CliRunner().invoke(parts.main, [str(DEFAULT_MODEL), "--pairs", "1"])
    assert done.exit_code == 0, done.output
    for said in ("opening, SHA-256 and manifest: ", "opening, check the network: ",
                 "after a run, taking map: ", "after a run, taking scores: ",
                 "a run, plain LiteRT by ours, 1 pairs: ", "(range of 1: "):  # fmt: skip
        assert said in done.output


def test_all_parts_take_time():
    pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
    assert min(parts.opening(DEFAULT_MODEL).values()) > 0
    assert {*parts.fetching(DEFAULT_MODEL)} == {"scores", "map"}


def test_what_is_no_model_file_is_named(tmp_path):
    (tmp_path / "notes.txt").write_text("no model")
    done = CliRunner().invoke(parts.main, [str(tmp_path / "notes.txt")])
    assert done.exit_code != 0
    assert "notes.txt: not a TFLite model" in done.output


def test_without_the_rig_the_way_to_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    done = CliRunner().invoke(joins.main, [str(DEFAULT_MODEL)])
    assert done.exit_code != 0
    assert "the package tf2onnx is not installed; run tests/rigs/peers.sh" in done.output
