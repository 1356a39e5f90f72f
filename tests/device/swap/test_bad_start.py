"""A start at which the model file is bad: the last good copy in the store runs."""

import json
import os
import signal

import pytest
from click.testing import CliRunner
from putting import put
from watching import accepted, verdict, watching

from corrosion_edge.cli import cli
from corrosion_edge.device import capture
from corrosion_edge.device.sources.fake import FakeCamera
from corrosion_edge.device.store import Reader
from corrosion_edge.modelfile import signature
from corrosion_edge.modelfile.container import Container
from corrosion_edge.modelfile.keys import PrivateKey, public_path


@pytest.fixture
def run(monkeypatch, tmp_path):
    """``watch --store`` for three frames; exit code, events printed, and standard error."""

    def called(*words):
        monkeypatch.setattr(capture, "open_camera",
                            lambda *_, **__: FakeCamera(["frame"] * 3, live=False))  # fmt: skip
        words = ["watch", "--json", "--no-quality", "--threads", "1", *words,
                 "--store", tmp_path / "store"]  # fmt: skip
        result = CliRunner().invoke(cli, list(map(str, words)))
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        events = [line for line in lines if str(line.get("event")).startswith("model_")]
        return result.exit_code, events, result.stderr

    return called


def refused(line):
    return line.get("event") == "model_refused"


def stored(tmp_path):
    with Reader(tmp_path / "store") as reader:
        return [event.fields for event in reader.events()]


BAD = {
    "truncated": lambda content, wrong: content[:-1000],
    "golden outputs": lambda content, wrong: wrong.to_bytes(),
    "empty": lambda content, wrong: b"",
}


@pytest.mark.parametrize("kind", BAD)
def test_the_copy_runs_and_says_so(run, file, default, wrong, tmp_path, kind):
    assert run("--model", file)[0] == 0
    put(file, BAD[kind](file.read_bytes(), wrong))
    code, events, told = run("--model", file)
    assert code == 0, told
    assert [event["event"] for event in events] == ["model_refused"]
    copied = f"; the copy of the last good file, in {tmp_path / 'store' / 'model'}, runs"
    assert events[0]["reason"].endswith(copied)
    details = events[0]["details"]
    assert details["file"] == str(file)
    assert details["old"]["model_sha256"] == default.manifest.model_sha256
    assert len(details["file_sha256"]) == 64
    assert "warning: " in told and copied in told
    last = stored(tmp_path)[-3:]
    assert [event["kind"] for event in last] == ["started", "model_refused", "stopped"]
    assert last[1]["reason"] == events[0]["reason"]
    assert {event["model"] for event in last} == {default.manifest.name}


def test_a_file_that_is_gone_is_refused_so_too(run, file):
    assert run("--model", file)[0] == 0
    file.unlink()
    code, events, _ = run("--model", file)
    assert code == 0
    assert "no such model file" in events[0]["reason"]


def test_without_a_copy_or_with_another_path_it_fails_as_ever(run, file, default, tmp_path):
    put(file, b"garbage")
    code, events, told = run("--model", file)
    assert (code, events) == (1, [])
    assert told.startswith(f"Error: {file}: ")
    sound = tmp_path / "sound.tflite"
    sound.write_bytes(default.to_bytes())
    assert run("--model", sound)[0] == 0
    code, events, told = run("--model", file)
    assert (code, events) == (1, [])
    assert told.startswith(f"Error: {file}: ")


def test_the_copy_must_be_signed_where_the_file_must(run, file, tmp_path):
    pytest.importorskip("cryptography")
    key = PrivateKey.generate()
    key.save(tmp_path / "k")
    public = public_path(tmp_path / "k")
    content = file.read_bytes()
    assert run("--model", file)[0] == 0
    put(file, content[:-1000])
    code, events, told = run("--model", file, "--require-signature", public)
    assert (code, events) == (1, [])
    assert "the copy in" in told and "is refused too" in told
    put(file, signature.sign(Container.from_bytes(content), key).to_bytes())
    assert run("--model", file, "--require-signature", public)[0] == 0
    put(file, content)
    code, events, told = run("--model", file, "--require-signature", public)
    assert code == 0, told
    assert "signed" in events[0]["reason"]


def test_a_damaged_copy_is_told_and_the_files_error_stands(run, file, tmp_path):
    assert run("--model", file)[0] == 0
    (copy,) = (tmp_path / "store" / "model").glob("*.tflite")
    copy.write_bytes(copy.read_bytes()[:-10])
    put(file, b"garbage")
    code, _, told = run("--model", file)
    assert code == 1
    assert f"cannot be used either ({copy}: damaged" in told
    assert f"Error: {file}: " in told


def test_a_mistake_that_the_file_is_not_guilty_of_is_no_refusal(run, file):
    assert run("--model", file)[0] == 0
    code, events, told = run("--model", file, "--accelerator", "edgetpu")
    assert (code, events) == (1, [])
    assert "not compiled for the Edge TPU" in told


def test_the_default_model_is_not_kept(run, tmp_path):
    assert run()[0] == 0
    assert not (tmp_path / "store" / "model").exists()


def hang_up(watch):
    watch.process.send_signal(signal.SIGHUP)


def test_over_kills_until_a_better_file_comes(file, other, tmp_path):
    words = ["--camera", "demo", "--interval", "1", "--threads", "1", "--model", file,
             "--store", tmp_path / "store"]  # fmt: skip
    with watching(*words) as watch:
        watch.until(1, verdict)
        put(file, other)
        hang_up(watch)
        watch.until(1, accepted)
        put(file, file.read_bytes()[:-1000])
        hang_up(watch)
        watch.until(1, refused)
        os.kill(watch.process.pid, signal.SIGKILL)
        watch.process.wait()
    with watching(*words) as watch:
        (line,) = [line for line in watch.until(1, verdict) if refused(line)]
        assert line["details"]["old"]["model"] == "another"
        for _ in range(2):
            assert not any(map(refused, watch.until(1, verdict)))
        put(file, other.with_fields(name="better"))
        hang_up(watch)
        assert watch.until(1, accepted)[-1]["details"]["new"]["model"] == "better"
        watch.end()
    put(file, b"")
    with watching(*words, "--no-watch-model") as watch:
        (line,) = [line for line in watch.until(1, verdict) if refused(line)]
        assert line["details"]["old"]["model"] == "better"
        watch.end()
