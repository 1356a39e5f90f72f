"""What ``watch --json --store`` prints of events: each one that was stored, once, as it was."""

import io
import json
from collections import Counter
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from corrosion_edge.cli import cli
from corrosion_edge.device import capture
from corrosion_edge.device.capture import Backoff, CameraState
from corrosion_edge.device.sinks import JsonSink
from corrosion_edge.device.sources.fake import FakeCamera
from corrosion_edge.device.store import Reader, Store
from corrosion_edge.device.store.event import Event
from corrosion_edge.errors import OutputError

CORROSION = ("--enter", "0", "--leave", "0", "--smooth", "1/1")
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def fake_classifier(classifier):
    return classifier


def run(*arguments):
    return CliRunner().invoke(cli, ["watch", "--json", *map(str, arguments)])


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def shown(folder):
    """What ``events list --json`` gives, by number; ``show`` gives the same."""
    listed = CliRunner().invoke(cli, ["events", "list", str(folder), "--json"])
    return {each["sequence"]: each for each in map(json.loads, listed.stdout.splitlines())}


def test_each_stored_event_is_the_object_that_the_store_shows(tmp_path):
    result = run("--camera", "demo", "--frames", "3", "--store", tmp_path, *CORROSION)
    assert result.exit_code == 0, result.output
    events = [line for line in lines(result) if "event" in line]
    kinds = ["started", "corrosion_began", "corrosion_ended", "stopped"]
    assert [line["event"] for line in events] == kinds
    assert {line["sequence"]: line for line in events} == {
        number: {"event": event["kind"], **event} for number, event in shown(tmp_path).items()
    }
    one = CliRunner().invoke(cli, ["events", "show", str(tmp_path), "2", "--json"]).stdout
    one = json.loads(one)
    assert {"event": "corrosion_began", **one} == events[1]
    assert set(one["pictures"]) == {"plain", "map"}
    frames = [line for line in lines(result) if "event" not in line]
    assert [frame["index"] for frame in frames] == [0, 1, 2]
    assert lines(result).index(events[1]) < lines(result).index(frames[0])


def test_an_event_is_printed_after_it_was_stored(tmp_path, monkeypatch):
    seen = []
    printed = JsonSink.stored

    def look(self, event):
        with Reader(tmp_path) as reader:
            seen.append(reader.at(event.sequence).to_dict() == event.to_dict())
        printed(self, event)

    monkeypatch.setattr(JsonSink, "stored", look)
    assert run("--camera", "demo", "--frames", "2", "--store", tmp_path).exit_code == 0
    assert seen == [True, True]


def test_without_a_store_there_are_frames_alone():
    assert all("event" not in line for line in lines(run("--camera", "demo", "--frames", "2")))


def test_a_camera_that_comes_back_is_told_once_with_a_store(monkeypatch, tmp_path):
    openings = iter([["frame", "vanish"], ["frame", "frame", "hang"]])
    monkeypatch.setattr(capture.opening, "open_directly",
                        lambda *_: FakeCamera(next(openings), period=0.05))  # fmt: skip
    monkeypatch.setattr(Backoff, "pause", lambda self: 0.01)
    result = run("--camera", "/dev/video0", "--frames", "2", "--store", tmp_path)
    assert result.exit_code == 0, result.output
    told = Counter(line["event"] for line in lines(result) if "event" in line)
    assert told == Counter(event["kind"] for event in shown(tmp_path).values())
    assert (told["camera_lost"], told["camera_recovered"]) == (1, 1)


def event(kind="camera_lost", sequence=1):
    return Event(sequence, {"kind": kind, "at": "", "camera": "gate"}, "{}", "0" * 64, {})


def lost(reason="it vanished"):
    return CameraState("gate", "lost", reason, NOW, "running")


def test_what_makes_no_event_or_waits_for_the_disk_is_told_as_without_a_store():
    out = io.StringIO()
    sink = JsonSink(out)
    sink.stored(event())
    sink.write(lost())
    sink.write(lost("it hangs"))
    told = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["event"] for line in told] == ["camera_lost", "camera_lost"]
    assert ["sequence" in line or "hash" in line for line in told] == [True, False]
    assert told[1]["reason"] == "it hangs"


class Broken(io.StringIO):
    name = "<stdout>"

    def __init__(self, error):
        super().__init__()
        self.error = error

    def flush(self):
        if self.error:
            raise self.error


@pytest.mark.parametrize("then", ["write", "close"])
@pytest.mark.parametrize(("error", "raised"), [(OSError(28, "No space left"), OutputError),
                                               (BrokenPipeError(), BrokenPipeError)])  # fmt: skip
def test_a_reader_that_is_gone_keeps_no_event_from_the_store(tmp_path, error, raised, then):
    sink = JsonSink(Broken(error))
    sink.stored(event())  # raises nothing: the store has more to do
    with pytest.raises(raised):
        sink.write(lost()) if then == "write" else sink.close()
    sink.close()


def test_a_store_whose_reader_left_has_its_end(tmp_path, monkeypatch):
    calls = []

    def once(stream, line):
        calls.append(line)
        raise OutputError("<stdout>: cannot be written (No space left on device)")

    monkeypatch.setattr("corrosion_edge.device.sinks.emit", once)
    result = run("--camera", "demo", "--frames", "2", "--store", tmp_path, *CORROSION)
    assert result.exit_code == 1
    assert "<stdout>: cannot be written" in result.stderr
    kinds = [event["kind"] for event in shown(tmp_path).values()]
    assert kinds == ["started", "corrosion_began", "corrosion_ended", "stopped"]
    with Store(tmp_path) as store:
        assert not store.broke_off
