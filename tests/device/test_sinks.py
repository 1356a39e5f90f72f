"""What a person and what a program get to read."""

import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from corrosion_edge.device.capture import CameraState, Quality
from corrosion_edge.device.lines import emit, json_line, printable
from corrosion_edge.device.sinks import JsonSink, TextSink
from corrosion_edge.device.verdict import Unreadable, Unusable, Verdict
from corrosion_edge.errors import OutputError
from corrosion_edge.frame import Frame
from corrosion_edge.prediction import Prediction

PIXELS = np.zeros((2, 2, 3), np.uint8)
TAKEN = datetime(2026, 3, 1, 12, 30, 5, 250_000, UTC)


def verdict(name="", position=None, score=0.8734):
    return Verdict(Frame(PIXELS, 7, TAKEN, name, position), Prediction(score, 0.5), 12.3456)


def test_text_has_time_label_score_latency_and_file():
    out = io.StringIO()
    TextSink(out).write(verdict("a/b.jpg", 1.5))
    time, label, score, latency, unit, position, second, name = out.getvalue().split()
    assert datetime.fromisoformat(time) == TAKEN
    assert datetime.fromisoformat(time).utcoffset() is not None
    assert (label, score, latency, unit) == ("corrosion", "0.873", "12.3", "ms")
    assert (position, second, name) == ("1.500", "s", "b.jpg")


def test_text_lines_are_aligned():
    out = io.StringIO()
    for score in (0.1, 0.9):
        TextSink(out).write(verdict(score=score))
    first, second = out.getvalue().splitlines()
    assert re.search(r"\d\.\d{3} ", first).start() == re.search(r"\d\.\d{3}  ", second).start()
    assert len(first) == len(second)


def test_json_of_a_camera_has_neither_path_nor_position():
    out = io.StringIO()
    JsonSink(out).write(verdict())
    fields = json.loads(out.getvalue())
    assert list(fields) == ["index", "time", "label", "score", "threshold", "latency_ms"]
    assert fields["index"] == 7
    assert datetime.fromisoformat(fields["time"]) == TAKEN
    assert (fields["label"], fields["score"], fields["threshold"]) == ("corrosion", 0.8734, 0.5)
    assert fields["latency_ms"] == 12.346


def test_json_of_a_recording_has_both():
    out = io.StringIO()
    JsonSink(out).write(verdict("clip.mp4", 0.1 + 0.2))
    fields = json.loads(out.getvalue())
    assert (fields["path"], fields["position_s"]) == ("clip.mp4", 0.3)


def test_a_score_inside_the_band_is_unsure_and_keeps_its_label():
    out = io.StringIO()
    for score, word, unsure in ((0.1, "no-corrosion", False), (0.2, "unsure", True),
                                (0.6, "unsure", True), (0.9, "corrosion", False)):  # fmt: skip
        said = Prediction(score, 0.5, band=(0.2, 0.8), tile=(3, 1))
        result = Verdict(Frame(PIXELS, 7, TAKEN), said, 1)
        out.truncate(out.seek(0))
        JsonSink(out).write(result)
        fields = json.loads(out.getvalue())
        assert fields["unsure"] is unsure
        assert fields["label"] == ("corrosion" if score >= 0.5 else "no-corrosion")
        assert fields["tile"] == [3, 1]
        out.truncate(out.seek(0))
        TextSink(out).write(result)
        assert out.getvalue().split()[1] == word
        assert out.getvalue().endswith("  tile 3,1\n")


def test_an_unusable_frame_has_neither_label_nor_score():
    out = io.StringIO()
    result = Unusable(Frame(PIXELS, 7, TAKEN, "a/b.jpg"), Quality("dark", 12.345, 48.0))
    JsonSink(out).write(result)
    fields = json.loads(out.getvalue())
    assert datetime.fromisoformat(fields.pop("time")) == TAKEN
    expected = {"index": 7, "path": "a/b.jpg", "unusable": "dark", "value": 12.35, "limit": 48}
    assert fields == expected
    out = io.StringIO()
    TextSink(out).write(result)
    assert out.getvalue().endswith("  unusable      dark (12.3, limit 48)  b.jpg\n")
    with pytest.raises(ValueError, match="quality"):
        Unusable(result.frame, Quality())


def test_an_unreadable_picture_is_an_error_line():
    out, errors = io.StringIO(), io.StringIO()
    result = Unreadable(3, "a.jpg", "a.jpg: not a picture, or damaged")
    JsonSink(out).write(result)
    assert json.loads(out.getvalue()) == {
        "index": 3,
        "path": "a.jpg",
        "error": "a.jpg: not a picture, or damaged",
    }
    TextSink(out, errors).write(result)
    assert errors.getvalue() == "Error: a.jpg: not a picture, or damaged\n"


def state(name="lost", previous="running"):
    return CameraState("gate", name, "no frame\x1b for 10 s", TAKEN, previous, 5, 2, 1, 0)


def test_a_lost_camera_is_a_line_for_people_and_an_event_for_programs():
    out, errors = io.StringIO(), io.StringIO()
    TextSink(out, errors).write(state())
    assert out.getvalue() == ""
    assert errors.getvalue().endswith("  gate: lost: no frame? for 10 s\n")
    assert datetime.fromisoformat(errors.getvalue().split()[0]) == TAKEN
    JsonSink(out).write(state())
    fields = json.loads(out.getvalue())
    assert datetime.fromisoformat(fields.pop("time")) == TAKEN
    assert fields == {
        "event": "camera_lost",
        "camera": "gate",
        "state": "lost",
        "reason": "no frame\x1b for 10 s",
        "frames": 5,
        "dropped": 2,
        "failures": 1,
        "abandoned": 0,
    }


@pytest.mark.parametrize(
    ("now", "before", "event", "notable"),
    [("running", "starting", "running", False), ("running", "lost", "recovered", True),
     ("running", "frozen", "recovered", True), ("running", "degraded", "recovered", True),
     ("degraded", "running", "degraded", True), ("ended", "running", "ended", False)],
)  # fmt: skip
def test_only_a_failure_and_its_end_are_told(now, before, event, notable):
    out, errors = io.StringIO(), io.StringIO()
    assert (state(now, before).event, state(now, before).notable) == (event, notable)
    TextSink(out, errors).write(state(now, before))
    JsonSink(out).write(state(now, before))
    assert bool(errors.getvalue()) is notable
    assert bool(out.getvalue()) is notable


@pytest.mark.parametrize(
    "wrong", [{"state": "gone"}, {"since": datetime(2026, 3, 1)}, {"frames": -1}]
)
def test_a_state_that_cannot_be_is_refused(wrong):
    right = {"camera": "gate", "state": "lost", "reason": "", "since": TAKEN}
    with pytest.raises(ValueError, match="expected"):
        CameraState(**{**right, **wrong})


class Counting(io.StringIO):
    flushed = 0

    def flush(self):
        self.flushed += 1
        super().flush()


def test_each_line_is_flushed():
    out = Counting()
    sink = JsonSink(out)
    sink.write(verdict())
    assert out.flushed == 1
    sink.write(verdict())
    assert out.flushed == 2


def test_a_full_disk_is_one_sentence():
    sentence = r"/dev/full: cannot be written \(No space left"
    with Path("/dev/full").open("w") as full, pytest.raises(OutputError, match=sentence):
        emit(full, "a line")


def test_a_reader_that_left_is_no_fault_of_the_disk():
    class Left(io.StringIO):
        def flush(self):
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        emit(Left(), "a line")


def test_any_file_name_survives_json_and_any_locale():
    name = "Brücke \udcff\n.jpg"
    line = json_line({"path": name})
    assert line.isascii()
    assert "\n" not in line
    assert json.loads(line) == {"path": name}


def test_a_file_name_cannot_command_the_terminal_or_break_the_line():
    assert printable("Brücke\x1b[2J\n\udcff.jpg") == "Brücke?[2J??.jpg"


def test_letters_that_the_output_does_not_know_are_escaped():
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="latin-1")
    emit(out, "Łódź")
    assert raw.getvalue() == b"\\u0141\xf3d\\u017a\n"
