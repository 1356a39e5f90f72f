"""``watch --model FILE`` while the file is replaced, from the outside."""

import json
import os
import signal

import pytest
from click.testing import CliRunner
from putting import put

from corrosion_edge.cli import cli
from corrosion_edge.device import capture
from corrosion_edge.device.cameras import Camera, Cameras
from corrosion_edge.device.capturing import Capture
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.device.sources.fake import FakeCamera
from corrosion_edge.device.stop import on_hangup
from corrosion_edge.device.store import Reader
from corrosion_edge.device.swap import Models
from corrosion_edge.image import Preprocessing


@pytest.fixture
def steps(monkeypatch):
    """Run functions one after the other, each once the one before made the model change."""

    def script(*functions):
        told, waiting = [], list(functions)
        renewed = Models.renewed

        def noted(self):
            if change := renewed(self):
                told.append(change)
            return change

        def frames():
            for count, function in enumerate(waiting):
                yield "frame"
                function()
                while len(told) <= count:
                    yield "frame"
            yield "frame"

        monkeypatch.setattr(Models, "renewed", noted)
        monkeypatch.setattr(os, "isatty", lambda handle: False)
        camera = FakeCamera(frames(), live=False, period=0.01)
        monkeypatch.setattr(capture, "open_camera", lambda *_, **__: camera)
        return told

    return script


def watch(*words):
    return CliRunner().invoke(cli, ["watch", "--json", "--no-quality", *map(str, words)])


def hang_up():
    os.kill(os.getpid(), signal.SIGHUP)


def test_everybody_hears_of_it(steps, file, other, tmp_path, default):
    def good():
        put(file, other)
        hang_up()

    def bad():
        put(file, b"garbage")
        hang_up()

    steps(good, bad)
    result = watch("--model", file, "--store", tmp_path / "events", "--threads", "1")
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    events = [line for line in lines if line.get("event", "").startswith("model_")]
    assert [line["event"] for line in events] == ["model_changed", "model_refused"]
    told = [line["details"] for line in events]
    assert told[0]["old"]["model"] == default.manifest.name
    assert told[0]["new"] == {"model": "another", "threshold": 0.875,
                                "model_sha256": other.manifest.model_sha256}  # fmt: skip
    assert told[1]["new"] is None
    assert told[1]["old"] == told[0]["new"]
    place = lines.index(events[0])
    thresholds = [[each["threshold"] for each in part if "score" in each]
                  for part in (lines[:place], lines[place:])]  # fmt: skip
    assert set(thresholds[0]) == {default.manifest.threshold}
    assert set(thresholds[1]) == {0.875}
    indices = [each["index"] for each in lines if "index" in each]
    assert indices == list(range(len(indices)))
    with Reader(tmp_path / "events") as reader:
        stored = {event.fields["kind"]: event.fields for event in reader.events()}
    changed, refused = stored["model_changed"], stored["model_refused"]
    assert (changed["model"], changed["threshold"]) == ("another", 0.875)
    assert changed["details"]["old"]["model"] == default.manifest.name
    assert refused["model"] == "another"
    assert refused["reason"] == events[1]["reason"]
    band = other.manifest.confidence.unsure
    inside = band[0] < 0.875 < band[1]
    assert changed["enter"] == (band[1] if inside else 0.875)
    assert changed["leave"] == (band[0] if inside else pytest.approx(0.7))
    listed = CliRunner().invoke(cli, ["events", "list", str(tmp_path / "events"),
                                      "--kind", "model_refused"])  # fmt: skip
    assert "model_refused" in listed.output


def test_people_read_it_on_standard_error(steps, file, other):
    steps(lambda: (put(file, other), hang_up()))
    words = ["watch", "--no-quality", "--model", str(file), "--threads", "1"]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0, result.output
    assert "  model changed: " in result.stderr
    assert " gave way to another (" in result.stderr


@pytest.mark.parametrize(
    ("words", "reason"),
    [(("--threshold", "recall"), "--threshold recall: another carries no threshold"),
     (("--enter", "0.6", "--leave", "0.55", "--threshold", "0.5"), "")],
)  # fmt: skip
def test_the_new_one_must_meet_the_options(steps, file, other, tmp_path, words, reason):
    told = steps(lambda: (put(file, other.with_fields(confidence=None)), hang_up()))
    result = watch("--model", file, "--threads", "1", "--store", tmp_path / "events", *words)
    assert result.exit_code == 0, result.output
    assert told[0].accepted == (not reason)
    assert told[0].reason.startswith(reason)


def test_hysteresis_that_a_new_model_makes_impossible_is_a_refusal(steps, file, other, tmp_path):
    low = other.with_fields(threshold=0.1, confidence=None)
    told = steps(lambda: (put(file, low), hang_up()))
    result = watch("--model", file, "--threads", "1", "--store", tmp_path / "e", "--leave", "0.3")
    assert result.exit_code == 0, result.output
    assert told[0].reason.startswith("--leave 0.3: expected no more than enter, which is 0.1")
    assert told[0].new.name == "another"


def test_it_can_be_left_off(monkeypatch, file):
    monkeypatch.setattr(capture, "open_camera",
                        lambda *_, **__: FakeCamera(["frame"] * 3, live=False))  # fmt: skip
    monkeypatch.setattr("corrosion_edge.device.swap.models.ModelWatch", None)
    assert watch("--model", file, "--no-watch-model", "--threads", "1").exit_code == 0
    assert watch("--threads", "1").exit_code == 0
    assert watch("--model", file, "--threads", "1").exit_code != 0  # it would have been called


@pytest.fixture
def usual_hangup():
    """SIGHUP as it is without nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_closed_terminal_still_ends_it(monkeypatch, terminal, usual_hangup):
    monkeypatch.setattr(os, "isatty", lambda handle: terminal)
    before = signal.getsignal(signal.SIGHUP)
    heard = []
    with on_hangup(lambda *_: heard.append(1)):
        assert (signal.getsignal(signal.SIGHUP) is before) == terminal
        if not terminal:
            hang_up()
    assert signal.getsignal(signal.SIGHUP) is before
    assert heard == ([] if terminal else [1])


def test_the_size_and_the_tiles_are_those_of_each_model(default, backend):
    small = default.with_fields(preprocessing=Preprocessing(96, 96))
    cameras = Cameras([Camera("a", "x"), Camera("b", "y", Capture(tiles=(2, 1)))])
    classifiers = [Classifier(bundle, backend) for bundle in (default, small)]
    models = Models(classifiers[0], cameras.view)
    assert models.view("a").size == (224, 224)
    assert models.view("b").size is None
    assert models.view("a").classifier is classifiers[0]
    assert models.view("b").classifier._classifier is classifiers[0]
    look = models.view("a").look
    assert cameras.view(classifiers[1], "a").size == (96, 96)
    assert cameras.view(classifiers[1], "b").classifier._classifier is classifiers[1]
    assert cameras.view(classifiers[1], "a").look is look
