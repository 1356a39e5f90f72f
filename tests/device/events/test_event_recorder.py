"""Several cameras before one log, minutes, and ``watch --store`` from the outside."""

import contextlib
import json
import sqlite3
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from click.testing import CliRunner

from corrosion_edge.cli import cli
from corrosion_edge.device import capture
from corrosion_edge.device.backends.fake import FakeBackend
from corrosion_edge.device.capture import Backoff
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.device.events.event import Asset, ModelName
from corrosion_edge.device.events.recorder import Log, Recorder
from corrosion_edge.device.events.settings import Detection
from corrosion_edge.device.events.stamp import Stamp, boot_id
from corrosion_edge.device.events.summary import area
from corrosion_edge.device.events.taken import Taken
from corrosion_edge.device.sources.fake import FakeCamera
from corrosion_edge.device.store import Reader
from corrosion_edge.device.store.verify import verify
from corrosion_edge.frame import Frame
from corrosion_edge.prediction import Prediction

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
PIXELS = np.zeros((4, 6, 3), np.uint8)
MAP = np.array([[-1, 2], [3, -4]], np.float32)
ASSETS = {"north": Asset("Tank 7", "gangway"), "south": Asset("Mast")}


class Memory(Log):
    def __init__(self):
        self.happened, self.summaries, self.closed = [], [], 0
        self.taken = []

    def append(self, happening, summary=None, taken=()):
        self.happened.append(happening)
        if summary:
            self.summaries.append(summary)
        if taken:
            self.taken.append((happening.kind, [file.path for file in taken]))

    def summarise(self, summary, taken=()):
        self.summaries.append(summary)
        if taken:
            self.taken.append(("minute", [file.path for file in taken]))

    def close(self):
        self.closed += 1

    def kinds(self):
        return [(one.kind, one.camera) for one in self.happened]


def stamp(seconds):
    return Stamp.of(frame(seconds))


def frame(seconds):
    return Frame(PIXELS, int(seconds), START + timedelta(seconds=seconds), monotonic=seconds)


@pytest.fixture
def log():
    return Memory()


@pytest.fixture
def recorder(log):
    def now():
        return Stamp(START, 999.0, boot_id())

    settings = Detection.for_model(0.5, (0.2, 0.8))
    return Recorder(log, settings, ModelName("m", "ab" * 32, 0.5), ASSETS, now=now)


def test_cameras_do_not_mix(recorder, log):
    for second in range(5):
        recorder.verdict("north", frame(second), Prediction(0.9, 0.5, MAP))
        recorder.verdict("south", frame(second), Prediction(0.1, 0.5, MAP))
    recorder.camera_state("south", "lost", "unplugged")
    recorder.close()
    recorder.close()
    assert log.kinds() == [("started", ""), ("corrosion_began", "north"), ("camera_lost", "south"),
                           ("corrosion_ended", "north"), ("stopped", "")]  # fmt: skip
    began = log.happened[1].to_dict()
    assert (began["asset"], began["position"], began["model_sha256"]) == (
        "Tank 7",
        "gangway",
        "ab" * 32,
    )
    assert (began["start"], began["end"]) == ("2026-03-01T12:00:00.000000+00:00", None)
    assert log.happened[1].scene.pixels is PIXELS
    assert log.closed == 1


def test_another_model_ends_what_is_open_and_starts_anew(recorder, log):
    for second in range(3):
        recorder.verdict("north", frame(second), Prediction(0.9, 0.5))
    recorder.model_changed(ModelName("n", "cd" * 32, 0.4), Detection(enter=0.4, leave=0.3), "put")
    for second in range(3, 6):
        recorder.verdict("north", frame(second), Prediction(0.45, 0.4))
    kinds = [one.kind for one in log.happened]
    assert kinds == ["started", "corrosion_began", "corrosion_ended", "model_changed",
                     "corrosion_began"]  # fmt: skip
    assert log.happened[-1].model.name == "n"
    assert log.happened[2].model.name == "m"


def test_a_camera_that_is_away_when_the_model_changes_is_told_to_be_back(recorder, log):
    recorder.camera_state("north", "lost", "unplugged")
    for second in range(5):
        recorder.unusable("south", "dark", stamp(second))
    recorder.model_changed(ModelName("n", "cd" * 32, 0.4), Detection(enter=0.4, leave=0.3), "put")
    recorder.camera_state("north", "running", "frames come again")
    for second in range(5, 10):
        recorder.unusable("south", "dark", stamp(second))
    for second in range(10, 15):
        recorder.verdict("south", frame(second), Prediction(0.1, 0.4))
    assert log.kinds() == [("started", ""), ("camera_lost", "north"), ("unusable", "south"),
                           ("model_changed", ""), ("camera_recovered", "north"),
                           ("usable", "south")]  # fmt: skip


def test_minutes_have_low_mean_high_and_area(recorder, log):
    for second, score in enumerate([0.1, 0.5, 0.9]):
        recorder.verdict("north", frame(20 * second), Prediction(score, 0.5, MAP))
    recorder.unusable("north", "dark", Stamp(START, 59.0, boot_id()))
    assert log.summaries == []
    recorder.verdict("north", frame(60), Prediction(0.3, 0.5))
    (minute,) = log.summaries
    assert (minute.low, minute.mean, minute.high) == (0.1, pytest.approx(0.5), 0.9)
    assert (minute.frames, minute.unsure, minute.unusable) == (3, 1, 1)
    assert (minute.area, minute.cells) == (0.5, 4)
    recorder.close()
    assert log.summaries[1].area is None
    assert log.summaries[1].frames == 1


def test_the_area_is_the_share_of_cells_that_speak_for_it():
    assert area(Prediction(0.5, 0.5, MAP)) == 0.5
    assert area(Prediction(0.5, 0.5)) is None


def test_an_unknown_state_is_refused(recorder):
    with pytest.raises(ValueError, match="state"):
        recorder.camera_state("north", "asleep")


def test_the_start_says_that_the_watch_before_left_no_end(tmp_path):
    for _ in range(2):
        assert watch(tmp_path, "--camera", "demo", "--frames", "1").exit_code == 0
    change = sqlite3.connect(tmp_path / "events.sqlite")
    with contextlib.closing(change), change:  # as after a kill: the last one was not written
        change.execute("DELETE FROM events WHERE sequence = 4")
    assert watch(tmp_path, "--camera", "demo", "--frames", "1").exit_code == 0
    reasons = [one["reason"] for one in stored(tmp_path) if one["kind"] == "started"]
    assert reasons[:2] == ["", ""]
    assert reasons[2].startswith("the watch before left no end: it was killed")


def watch(folder, *words):
    return CliRunner().invoke(cli, ["watch", "--store", str(folder), *words])


def stored(folder):
    with Reader(folder) as reader:
        return [event.fields for event in reader.events()]


def test_watch_stores_events_and_says_so(tmp_path, camera):
    camera(*["frame"] * 8, live=False)
    head = tmp_path / "head"
    result = watch(tmp_path / "s", "--asset", "Tank 7", "--position", "gangway", "--enter", "0",
                   "--leave", "0", "--json", "--head-file", str(head))  # fmt: skip
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert all("label" in line for line in lines if "event" not in line)
    found = stored(tmp_path / "s")
    assert [one["kind"] for one in found] == [
        "started",
        "corrosion_began",
        "corrosion_ended",
        "stopped",
    ]
    assert (found[1]["asset"], found[1]["position"]) == ("Tank 7", "gangway")
    verified = verify(tmp_path / "s", head.read_text().split()[1])
    assert verified.pictures == 4
    said = [line for line in result.stderr.splitlines() if line.startswith("stored: ")]
    assert len(said) == 4
    assert said[-1].endswith(verified.head)


def test_a_lost_camera_is_an_event(tmp_path, camera):
    camera("frame", "hang")
    result = watch(tmp_path)
    assert result.exit_code == 1
    kinds = [one["kind"] for one in stored(tmp_path)]
    assert kinds == ["started", "camera_degraded", "camera_lost", "stopped"]
    assert "failed: " in stored(tmp_path)[-1]["reason"]


def test_a_camera_that_fails_and_comes_back_is_two_events(tmp_path, monkeypatch, classifier):
    openings = iter([["frame", "vanish"], ["frame", "frame", "hang"]])
    monkeypatch.setattr(capture.opening, "open_directly",
                        lambda *_: FakeCamera(next(openings), period=0.05))  # fmt: skip
    monkeypatch.setattr(Backoff, "pause", lambda self: 0.01)
    result = watch(tmp_path, "--camera", "yard=/dev/video0", "--frames", "2", "--asset", "Tank 7")
    assert result.exit_code == 0, result.output
    found = stored(tmp_path)
    assert [(one["kind"], one["camera"]) for one in found] == [
        ("started", ""), ("camera_lost", "yard"), ("camera_recovered", "yard"), ("stopped", ""),
    ]  # fmt: skip
    assert found[1]["reason"] == "it vanished"
    assert found[1]["asset"] == "Tank 7"


def test_frames_that_show_nothing_are_an_event(tmp_path, camera):
    camera(*["frame"] * 8, live=False)
    assert watch(tmp_path, "--dark-below", "256").exit_code == 0
    found = stored(tmp_path)
    assert [one["kind"] for one in found] == ["started", "unusable", "stopped"]
    assert found[1]["reason"].startswith("dark (")
    assert found[1]["camera"] == "fake camera"


def test_watch_without_a_store_stores_nothing_and_takes_none_of_its_options(tmp_path, camera):
    camera("frame", live=False)
    result = CliRunner().invoke(cli, ["watch", "--asset", "x"])
    assert result.exit_code == 2
    assert "--asset: needs --store" in result.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--smooth", "1/5"], "--smooth"),
        (["--enter", "0.1", "--leave", "0.9"], "--enter, --leave: expected 0 <= leave"),
        (["--leave", "0.9"], "--leave 0.9: expected no more than enter, which is 0."),
        (["--keep-days", "nan"], "--keep-days"),
        (["--keep-mb", "0"], "--keep-mb"),
        (["--store", ""], "expected a name, got an empty text"),
        (["--head-file", ""], "expected a name, got an empty text"),
    ],
)
def test_options_that_cannot_be_are_one_sentence(tmp_path, camera, words, told):
    camera("frame", live=False)
    result = watch(tmp_path / "s", *words)
    assert result.exit_code == 2
    assert told in result.stderr


def test_a_store_in_use_is_one_sentence(tmp_path, camera):
    from corrosion_edge.device.store import Store

    camera("frame", live=False)
    with Store(tmp_path):
        result = watch(tmp_path)
    assert result.exit_code == 1
    assert "another process" in result.stderr


def photo(name):
    return Taken(f"/p/{name}.png", 1, 2)


def test_files_are_remembered_with_their_event_their_minute_or_when_it_is_quiet_for_long():
    def stamp(seconds):
        return Stamp(START + timedelta(seconds=seconds), float(seconds), "boot")

    memory, now = Memory(), [stamp(0)]
    settings = Detection.for_model(0.5, (0.2, 0.8))
    model = ModelName("m", "ab" * 32, 0.5)
    recorder = Recorder(memory, settings, model, ASSETS, now=lambda: now[0])
    recorder.unusable("north", "dark", stamp(0), [photo("a")])
    recorder.unusable("north", "dark", stamp(10), [photo("b")])
    assert memory.taken == []
    recorder.unusable("north", "dark", stamp(70), [photo("c")])
    assert memory.taken.pop() == ("minute", ["/p/a.png", "/p/b.png"])
    now[0] = stamp(599)
    recorder.settle()
    assert memory.taken == []
    now[0] = stamp(600)
    recorder.settle()
    assert memory.taken.pop() == ("minute", ["/p/c.png"])
    recorder.unusable("north", "dark", stamp(601), [photo("d")])
    recorder.unusable("north", "dark", stamp(602), [photo("e")])
    assert memory.taken.pop() == ("unusable", ["/p/d.png", "/p/e.png"])
    recorder.unusable("north", "dark", stamp(603), [photo("f")])
    recorder.close()
    assert memory.taken == [("minute", ["/p/f.png"])]


def test_a_folder_is_the_same_camera_with_one_photo_more(tmp_path, folder, bundle, monkeypatch):
    monkeypatch.setattr(Classifier, "open", lambda *_, **__: Classifier(bundle, FakeBackend()))
    words = ["watch", "--camera", str(folder), "--no-quality", "--enter", "0", "--smooth", "1/1",
             "--store", str(tmp_path / "store")]  # fmt: skip
    for count in (6, 7):
        result = CliRunner().invoke(cli, words)
        assert result.exit_code == 0, result.output
        assert f"watching {folder} ({count} photos; passed over" in result.stderr
        (folder / "9.png").write_bytes((folder / "0.png").read_bytes())
    with Reader(tmp_path / "store") as reader:
        assert {each.fields["camera"] for each in reader.events()} == {"", str(folder)}
