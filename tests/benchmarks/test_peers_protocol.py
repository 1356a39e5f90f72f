import io
import json
import sys
from pathlib import Path

import numpy as np
import peers_fakes
import pytest

from corrosion_edge.benchmarks.peers.running import NotHere, Running, environment
from corrosion_edge.benchmarks.peers.worker import Desk, serve
from corrosion_edge.errors import BackendError


@pytest.fixture
def prepared(tmp_path: Path) -> str:
    path = tmp_path / "prepared.npy"
    np.save(path, np.stack([np.full((4, 4, 3), value, np.uint8) for value in (0, 51, 255)]))
    return str(path)


def _running(command: list[str], **fields) -> Running:
    return Running(peers_fakes.peer("fake", **fields), Path("/nowhere"), command)


def test_a_process_answers_what_it_is_asked(prepared, tmp_path):
    frame = tmp_path / "a.jpg"
    frame.write_bytes(b"x")
    with _running(peers_fakes.command(offset=0.1)) as process:
        assert process.ask("open", model="m", threads=3) == {"runtime": "fake, 3 threads"}
        answer = process.ask("invoke", prepared=prepared, pictures=[0, 1, 2, 1], lead=1)
        assert len(answer["ns"]) == 3
        assert min(answer["ns"]) > 0 <= answer["cpu_ns"]
        assert answer["scores"] == pytest.approx([0.1, 0.3, 1.1, 0.3])
        assert process.ask("look", frames=[str(frame)], lead=0)["scores"] == [1.1]
        assert process.peak_memory_bytes > 1e6


def test_an_error_of_a_runtime_is_told_and_the_process_goes_on(prepared):
    with _running(peers_fakes.command(fails_at=2)) as process:
        process.ask("open", model="m", threads=1)
        with pytest.raises(BackendError, match="Fake: ValueError: out of breath"):
            process.ask("invoke", prepared=prepared, pictures=[0, 1], lead=0)
        assert process.ask("invoke", prepared=prepared, pictures=[0], lead=0)["ns"]


def test_a_missing_package_is_no_failure():
    command = [sys.executable, "-m", "corrosion_edge.benchmarks.peers.worker", "not_there_at_all:W"]
    with (
        _running(command, rig="peers") as process,
        pytest.raises(NotHere, match=r"package not_there_at_all is not .*tests/rigs/peers\.sh"),
    ):
        process.ask("open", model="m", threads=1)


def test_a_crash_is_told_with_its_last_word():
    script = "import sys; sys.stdin.readline(); sys.exit('no more memory')"
    with (
        _running([sys.executable, "-c", script]) as process,
        pytest.raises(BackendError, match=r"ended with 1 \(no more memory\)"),
    ):
        process.ask("open", model="m", threads=1)


def test_one_that_never_answers_is_given_up():
    script = "import sys; [None for line in sys.stdin]"
    with (
        _running([sys.executable, "-c", script]) as process,
        pytest.raises(BackendError, match=r"no answer within 0\.2 s"),
    ):
        process.ask("open", patience=0.2, model="m", threads=1)


def test_what_a_library_prints_is_no_answer(tmp_path):
    (tmp_path / "loud.py").write_text(
        "print('hello')\nclass Way:\n    def __init__(self, model, threads):\n"
        "        print('hello'); self.runtime = 'loud'\n"
    )
    script = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); sys.argv[1:] = ['loud:Way']\n"
    script += "from corrosion_edge.benchmarks.peers.worker import main; main()"
    with _running([sys.executable, "-c", script]) as process:
        assert process.ask("open", model="m", threads=1) == {"runtime": "loud"}


def test_serving_ends_when_told_or_when_nobody_asks():
    for questions, answers in (
        ([{"do": "close"}, {"do": "close"}], [{"closed": True}]),
        ([{"do": "dance"}], [{"error": "failed"}]),
    ):
        stream = io.StringIO()
        serve(Desk(lambda: peers_fakes.FakeWay), io.StringIO("\n".join(map(json.dumps, questions))),
              stream)  # fmt: skip
        told = [json.loads(line) for line in stream.getvalue().splitlines()]
        assert [line | wanted for line, wanted in zip(told, answers, strict=True)] == told


def test_a_rigs_packages_come_behind_this_project(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "given")
    with_rig = environment(tmp_path, "peers")["PYTHONPATH"].split(":")
    assert with_rig[1:] == [str(tmp_path / "peers" / "site"), "given"]
    assert environment(tmp_path, "")["PYTHONPATH"].split(":") == [with_rig[0], "given"]
    assert Path(with_rig[0], "corrosion_edge", "__init__.py").is_file()
