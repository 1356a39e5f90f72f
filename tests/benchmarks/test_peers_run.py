"""Whole runs: of fakes, and of ours beside plain LiteRT on the default model."""

import json
import os
import subprocess
from pathlib import Path

import peers_fakes
import pytest
from click.testing import CliRunner

from corrosion_edge.benchmarks.peers import files, pictures, prepare
from corrosion_edge.benchmarks.peers.cli import main
from corrosion_edge.benchmarks.peers.files import Network, filled
from corrosion_edge.benchmarks.peers.result import Difference, Result
from corrosion_edge.benchmarks.peers.rounds import INVOKES, Turns, measure
from corrosion_edge.benchmarks.peers.run import chosen
from corrosion_edge.benchmarks.peers.running import NotHere, Running
from corrosion_edge.benchmarks.peers.table import OURS, PEERS
from corrosion_edge.bundle import DEFAULT_MODEL, Bundle
from corrosion_edge.errors import BackendError, DataError, OutputError, UsageError
from corrosion_edge.image import Preprocessing

SMALL = (96, 64)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> pictures.Pictures:
    folder = tmp_path_factory.mktemp("frames")
    return pictures.rendered(folder, SMALL).decoded(folder)


def _measure(commands: dict, shown: pictures.Pictures, folder: Path, absent=None) -> dict:
    """Rows by name; ``commands`` gives each peer's worker, None one that is not here."""

    def start(peer):
        if commands[peer] is None:
            raise NotHere("not installed: it is a fake")
        return Running(peer, folder, commands[peer])

    prepared = shown.prepared(Preprocessing(8, 8), folder / "prepared.npy")
    network = Network("fake", folder, absent or {}, prepared, "by hand", ("float.tflite",))
    turns = Turns(threads=1, rounds=3, starts=3, pictures=shown)
    rows = measure(network, list(commands), turns, start)
    assert len(turns.loads) >= sum(len(row.invoke) for row in rows)
    return {row.peer: row for row in rows}


def test_peers_take_turns_and_absent_ones_have_a_row(shown, tmp_path):
    gone, fileless = peers_fakes.peer("gone"), peers_fakes.peer("fileless")
    fakes = {OURS: peers_fakes.command(), peers_fakes.peer("other"): peers_fakes.command(0.25),
             gone: None}  # fmt: skip
    rows = _measure(fakes, shown, tmp_path)
    ours, other = rows["ours"], rows["other"]
    for row in (ours, other):
        assert [len(block.ns) for block in row.invoke] == [INVOKES] * 3
        assert len(row.look) == len(row.camera) == len(row.starts) == 3
        assert (row.trained, row.converted) == (True, "by hand")
        assert row.runtime == "fake, 1 threads"
    for kind in ("prepared_scores", "camera_scores"):
        found, expected = getattr(other, kind), getattr(ours, kind)
        assert Difference.of(found, expected).mean == pytest.approx(0.25)
        assert len(set(expected)) > 1
    assert rows["gone"].reason == "not installed: it is a fake"
    rows = _measure({OURS: peers_fakes.command(), fileless: None}, shown, tmp_path,
                    {"int8.tflite": "ships elsewhere"})  # fmt: skip
    assert rows["fileless"].reason == "ships elsewhere"


def test_one_that_fails_in_the_middle_is_told_and_the_rest_go_on(shown, tmp_path):
    weak = peers_fakes.peer("weak")
    fakes = {OURS: peers_fakes.command(), weak: peers_fakes.command(fails_at=30)}
    rows = _measure(fakes, shown, tmp_path)
    assert rows["weak"].reason == "failed: Weak: ValueError: out of breath"
    assert len(rows["ours"].invoke) == 3
    with pytest.raises(BackendError, match="out of breath"):
        _measure({OURS: peers_fakes.command(fails_at=30)}, shown, tmp_path)


def test_ours_and_plain_litert_on_the_default_model(tmp_path):
    pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
    given = tmp_path / "given"
    given.mkdir()
    pictures.rendered(given, (320, 180))
    done = CliRunner().invoke(
        main,
        [str(tmp_path / "out"), "--network", "default", "--peer", "litert", "--rounds", "3",
         "--starts", "3", "--pictures", str(given), "--rigs", str(tmp_path / "no rigs")],
        catch_exceptions=False,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    found = Result.from_dict(json.loads((tmp_path / "out" / "result.json").read_text()))
    ours, plain = found.rows
    assert plain.prepared_scores == pytest.approx(ours.prepared_scores, abs=1e-6)
    assert 0 < plain.times(ours, "invoke").value < 1000
    assert plain.starts[0].peak_bytes > 10e6
    assert plain.starts[0].cpu_ns > 0
    assert (ours.trained, ours.converted) == (True, "the model that ships")
    # The same pictures, but with half of the colour each way.
    for row in (ours, plain):
        assert 0 < Difference.of(row.camera_scores, row.frame_scores).mean < 0.05
    assert not list((tmp_path / "out" / "networks" / "default").glob("float*"))
    assert found.pictures == "8 of the 8 JPEG files given"
    assert "| plain LiteRT, int8 |" in (tmp_path / "out" / "result.md").read_text()
    assert "<html" in (tmp_path / "out" / "result.html").read_text()


def test_files_of_an_older_version_are_refused(tmp_path):
    Bundle.load(DEFAULT_MODEL).with_fields(provenance={}).save(tmp_path / "int8.tflite")
    with pytest.raises(UsageError, match=r"--files: .*int8\.tflite was made by an older version"):
        prepare.make("mobilenetv2", tmp_path, [])


def test_the_default_model_of_another_version_is_not_kept(tmp_path):
    prepare.make("default", tmp_path, [])
    (tmp_path / "int8.onnx").write_bytes(b"of it")
    prepare.make("default", tmp_path, [])
    assert (tmp_path / "int8.onnx").read_bytes() == b"of it"
    now = (tmp_path / "int8.tflite").read_bytes()
    Bundle.load(DEFAULT_MODEL).save(tmp_path / "int8.tflite")
    prepare.make("default", tmp_path, [])
    assert (tmp_path / "int8.tflite").read_bytes() == now
    assert not (tmp_path / "int8.onnx").exists()


def test_names_and_pictures_that_cannot_be(tmp_path):
    assert chosen([]) == list(PEERS)
    assert [peer.name for peer in chosen(["keras"])] == ["ours", "keras"]
    with pytest.raises(UsageError, match=r"--peer: expected one of ours, .* got abacus"):
        chosen(["abacus"])
    with pytest.raises(DataError, match=r"no \.jpg or \.jpeg file"):
        pictures.given(tmp_path)
    with pytest.raises(DataError, match="is no folder"):
        pictures.given(tmp_path / "nowhere")


def test_the_error_of_the_process_that_makes_the_files_is_raised(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be made a folder"):
        filled("default", tmp_path / "file" / "default", tmp_path, [])


@pytest.mark.parametrize(
    ("code", "told", "sentence"),
    [(-9, "INFO: started", r"ended by SIGKILL, as the system does when memory runs out"),
     (-11, "", r"\(ended by SIGSEGV\)$"), (1, "INFO: a\nValueError: b", r"\(ValueError: b\)$")],
)  # fmt: skip
def test_how_that_process_died_is_told(tmp_path, monkeypatch, code, told, sentence):
    done = subprocess.CompletedProcess([], code, "", told)
    monkeypatch.setattr(files.subprocess, "run", lambda *words, **how: done)
    with pytest.raises(BackendError, match=sentence):
        filled("default", tmp_path, tmp_path, [])


def test_what_a_conversion_raises_is_raised_and_its_death_told():
    with pytest.raises(ValueError, match="invalid literal"):
        prepare._apart(int, "none")
    with pytest.raises(BackendError, match="7: the conversion's process was ended, as the system"):
        prepare._apart(os._exit, 7)
