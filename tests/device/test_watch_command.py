"""``corrosion-edge watch`` from the outside."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from corrosion_edge.bundle import DEFAULT_MODEL
from corrosion_edge.cli import cli
from corrosion_edge.device import capture
from corrosion_edge.device.backends.fake import FakeBackend
from corrosion_edge.device.capture import Backoff, follow, supervised
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.device.sources import Wish, picamera2_source, v4l2
from corrosion_edge.device.sources.fake import FakeCamera
from corrosion_edge.errors import BackendError

has_model = pytest.mark.skipif(
    not DEFAULT_MODEL.exists(), reason="the package carries no default model yet"
)


@pytest.fixture(autouse=True)
def fake_classifier(classifier):
    return classifier


def run(*arguments):
    return CliRunner().invoke(cli, ["watch", *arguments])


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_the_threshold_is_the_users_choice():
    result = run("--camera", "demo", "--frames", "2", "--json", "--threshold", "0")
    assert [line["threshold"] for line in lines(result)] == [0, 0]
    assert {line["label"] for line in lines(result)} == {"corrosion"}
    assert run("--camera", "demo", "--threshold", "recall").exit_code == 2


def test_the_demo_gives_verdicts():
    result = run("--camera", "demo", "--frames", "3", "--json")
    assert result.exit_code == 0
    assert [line["index"] for line in lines(result)] == [0, 1, 2]
    keys = ["index", "time", "label", "score", "threshold", "backend", "latency_ms"]
    assert all(list(line) == keys for line in lines(result))
    assert all(datetime.fromisoformat(line["time"]).utcoffset() is not None
               for line in lines(result))  # fmt: skip


def test_it_says_first_what_runs_and_last_what_became_of_the_frames(camera):
    camera("frame", "frame", live=False)
    result = run()
    first, last = result.stderr.splitlines()
    assert first == "watching fake camera; model fake model; fake backend"
    assert last == (
        "frames: 2 delivered = 2 classified + 0 skipped + 0 unreadable + 0 unusable; 0 dropped"
    )
    assert len(result.stdout.splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "spec"),
    [([], "auto"), (["--camera"], "auto"), (["--camera", "--json"], "auto"),
     (["--camera", "/dev/video3"], "/dev/video3"), (["--camera=demo"], "demo")],
)  # fmt: skip
def test_the_camera_may_be_left_to_the_machine(camera, arguments, spec):
    asked = camera("frame", live=False)
    assert run(*arguments).exit_code == 0
    assert asked == [spec]


def test_without_any_camera_it_says_how_to_name_one(monkeypatch):
    monkeypatch.setattr(picamera2_source, "attached", list)
    monkeypatch.setattr(v4l2, "cameras", list)
    result = run("--camera")
    assert result.exit_code == 1
    assert "no camera found" in result.stderr
    assert "--camera /dev/video0" in result.stderr


@pytest.mark.parametrize("failure", ["vanish", "hang"])
def test_a_lost_camera_is_a_sentence_a_tally_and_a_failure(camera, failure):
    camera("frame", failure, period=0.05)
    result = run("--json")
    assert result.exit_code == 1
    assert ["event" in line for line in lines(result)][:1] == [False]
    assert lines(result)[-1]["event"] == "camera_lost"
    tally, sentence = result.stderr.splitlines()[-2:]
    assert tally.startswith("frames: 1 delivered = 1 classified")
    assert sentence.startswith("Error: fake camera: ")


@pytest.mark.parametrize("as_json", [True, False])
def test_a_camera_that_comes_back_is_told_and_no_failure(monkeypatch, as_json):
    openings = iter([["frame", "vanish"], ["frame", "frame", "hang"]])
    monkeypatch.setattr(capture.opening, "open_directly",
                        lambda *_: FakeCamera(next(openings), period=0.05))  # fmt: skip
    monkeypatch.setattr(Backoff, "pause", lambda self: 0.01)
    result = run("--camera", "/dev/video0", "--frames", "2", *["--json"] * as_json)
    assert result.exit_code == 0
    if as_json:
        kinds = [line.get("event", "verdict") for line in lines(result)]
        assert kinds == ["verdict", "camera_lost", "camera_recovered", "verdict"]
        assert lines(result)[1]["reason"] == "it vanished"
    else:
        assert len(result.stdout.splitlines()) == 2
        assert "  fake camera: lost: it vanished\n" in result.stderr
        assert "  fake camera: recovered: frames come again after 0" in result.stderr


def test_without_reconnecting_the_first_failure_is_the_end(monkeypatch):
    monkeypatch.setattr(capture.opening, "open_directly",
                        lambda *_: FakeCamera(["frame", "vanish"], period=0.05))  # fmt: skip
    result = run("--camera", "/dev/video0", "--no-reconnect")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == "Error: fake camera: it vanished"


def test_ctrl_c_while_a_camera_is_away_ends_at_once(monkeypatch):
    openings = iter([["frame", "vanish"]])

    def opened(*_):
        if steps := next(openings, None):
            return FakeCamera(steps, period=0.05)
        threading.Timer(0.05, signal.raise_signal, [signal.SIGINT]).start()
        return FakeCamera(["hang"])

    monkeypatch.setattr(capture.opening, "open_directly", opened)
    monkeypatch.setattr(Backoff, "pause", lambda self: 0.01)
    monkeypatch.setattr(supervised, "_CLOSE_WITHIN", 0.05)
    result = run("--camera", "/dev/video0", "--json")
    assert result.exit_code == 0
    assert [line.get("event") for line in lines(result)] == [None, "camera_lost"]


def test_size_region_and_tiles_reach_the_verdict(write_video, pictures, tmp_path, monkeypatch):
    file = write_video(tmp_path / "a.mkv", pictures)
    shapes = []
    classify = Classifier.classify
    monkeypatch.setattr(Classifier, "classify",
                        lambda self, p: (shapes.append(p.shape), classify(self, p))[1])  # fmt: skip
    result = run("--camera", str(file), "--json", "--resolution", "32x24", "--rotate", "90",
                 "--roi", "0,0,0.5,1.0", "--tiles", "2x1", "--rate", "5")  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert [line["position_s"] for line in lines(result)] == [0, 0.2, 0.4]
    assert all(len(line["tile"]) == 2 for line in lines(result))
    assert shapes == [(32, 6, 3)] * 6
    assert "pictures come as 64x48; scaled here to 32x24\n" in result.stderr
    assert "the source keeps no rate of 5: frames are skipped here\n" in result.stderr
    text = run("--camera", str(file), "--tiles", "1x1").stdout
    assert all("  tile 1,1  " in line for line in text.splitlines())


def test_a_dark_photo_gets_no_verdict(folder):
    Image.new("RGB", (64, 48), (9, 9, 9)).save(folder / "2.png")
    result = run("--camera", str(folder), "--json")
    assert result.exit_code == 0
    assert lines(result)[2]["unusable"] == "dark"
    assert "score" not in lines(result)[2]
    assert "5 classified + 0 skipped + 0 unreadable + 1 unusable" in result.stderr


@pytest.mark.parametrize("words", [["--no-quality"], ["--dark-below", "9", "--covered-below", "0"]])
def test_a_dark_photo_gets_a_verdict_where_the_user_wants_one(folder, words):
    Image.new("RGB", (64, 48), (9, 9, 9)).save(folder / "2.png")
    result = run("--camera", str(folder), "--json", *words)
    assert "score" in lines(result)[2]


def test_a_followed_folder_goes_on_with_what_is_dropped_into_it(folder, tmp_path):
    for photo in sorted(folder.glob("*.png"))[2:]:
        photo.rename(tmp_path / photo.name)
    drop = lambda: (tmp_path / "3.png").rename(folder / "new.png")  # noqa: E731
    threading.Timer(0.3, drop).start()
    result = run("--camera", str(folder), "--follow", "--frames", "3", "--json")
    assert result.exit_code == 0
    assert [Path(line["path"]).name for line in lines(result)] == ["0.png", "1.png", "new.png"]
    assert run("--camera", "demo", "--follow").exit_code == 1


@pytest.mark.parametrize("stored", [True, False])
def test_a_followed_folder_is_not_judged_again_after_a_restart_if_there_is_a_store(
    folder, tmp_path, bundle, monkeypatch, stored
):
    late = tmp_path / "late.png"
    for photo in sorted(folder.glob("*.png"))[1:]:
        photo.rename(late)
    (folder / "0-broken.png").write_bytes(b"broken")
    for name in ("0.png", "0-broken.png"):
        os.utime(folder / name, (1e9, 1e9))
    made = lambda *_, **__: Classifier(bundle, FakeBackend())  # noqa: E731
    monkeypatch.setattr(Classifier, "open", made)
    monkeypatch.setattr(follow, "_GIVE_UP", 0.0)
    words = ["--camera", str(folder), "--follow", "--json", "--frames", "1"]
    words += ["--store", str(tmp_path / "ev")] if stored else []
    paths = lambda result: [Path(line["path"]).name for line in lines(result) if "path" in line]  # noqa: E731
    assert paths(run(*words)) == ["0-broken.png", "0.png"]
    late.rename(folder / "9.png")
    assert paths(run(*words)) == (["9.png"] if stored else ["0-broken.png", "0.png"])


def test_several_cameras_are_watched_at_once(monkeypatch):
    asked = []

    def opened(spec, wish):
        asked.append(spec)
        return FakeCamera(["frame"] * 1000, period=0.01)

    monkeypatch.setattr(capture.opening, "open_directly", opened)
    two = ["--camera", "gate=/dev/video0", "--camera", "pole=rtsp://host/x"]
    result = run(*two, "--frames", "6", "--json")
    assert result.exit_code == 0, result.stderr
    assert asked == ["/dev/video0", "rtsp://host/x"]
    assert {line["camera"] for line in lines(result)} == {"gate", "pole"}
    assert "watching gate=fake camera, pole=fake camera;" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [["--camera", "a=demo"], ["--camera", "auto", "--camera", "demo"],
     ["--camera", "a=auto", "--camera", "a=demo"], ["--camera", "a=auto", "--follow"]],
)  # fmt: skip
def test_cameras_that_cannot_go_together_are_wrong_usage(arguments):
    assert run(*arguments).exit_code == 2


def test_a_region_beyond_a_recordings_pictures_is_wrong_usage(tmp_path, pictures, write_video):
    clip = write_video(tmp_path / "clip.mkv", pictures)
    result = run("--camera", str(clip), "--roi", "0,0,65,48")
    assert result.exit_code == 2
    assert f"{clip}: --roi 0,0,65,48: reaches beyond the picture of 64x48" in result.stderr


def test_the_camera_is_asked_for_size_and_rate_at_every_opening(monkeypatch):
    openings = iter([["frame", "vanish"], ["frame", "frame", "hang"]])
    asked = []

    def opened(spec, wish):
        asked.append(wish)
        made = FakeCamera(next(openings), period=0.05)
        made.paced = True
        return made

    monkeypatch.setattr(capture.opening, "open_directly", opened)
    monkeypatch.setattr(Backoff, "pause", lambda self: 0.01)
    result = run(
        "--camera", "/dev/video0", "--frames", "2", "--resolution", "64x48", "--rate", "0.1"
    )
    assert result.exit_code == 0
    assert asked == [Wish((64, 48), 0.1, ((224, 224),))] * 2
    assert "here" not in result.stderr


def test_unreadable_pictures_are_lines_and_a_failure_at_the_end(folder):
    (folder / "2.png").write_bytes(b"broken")
    result = run("--camera", str(folder), "--json")
    assert result.exit_code == 1
    assert [line["index"] for line in lines(result)] == [0, 1, 2, 3, 4, 5]
    assert list(lines(result)[2]) == ["index", "path", "error"]
    assert lines(result)[2]["path"] == str(folder / "2.png")
    assert lines(result)[3]["path"] == str(folder / "3.png")
    assert "5 classified + 0 skipped + 1 unreadable" in result.stderr


def test_a_video_has_positions_and_an_interval_in_its_own_time(write_video, pictures, tmp_path):
    file = write_video(tmp_path / "a.mkv", pictures)
    result = run("--camera", str(file), "--json", "--interval", "0.2")
    assert result.exit_code == 0
    assert [line["position_s"] for line in lines(result)] == [0, 0.2, 0.4]
    assert {line["path"] for line in lines(result)} == {str(file)}
    assert "6 delivered = 3 classified + 3 skipped" in result.stderr


def test_a_damaged_video_gives_what_it_has_and_fails(write_video, pictures, tmp_path):
    file = write_video(tmp_path / "a.mp4", pictures * 4)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    result = run("--camera", str(file), "--json")
    assert result.exit_code == 1
    assert lines(result)
    assert "damaged or cut short" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [["--frames", "0"], ["--frames", "-1"], ["--frames", "x"], ["--interval", "-1"],
     ["--interval", "nan"], ["--interval", "inf"], ["--threads", "0"], ["stray"],
     ["--rate", "0"], ["--rate", "nan"], ["--rotate", "45"], ["--resolution", "640"],
     ["--resolution", "0x5"], ["--resolution", "9401x5"], ["--tiles", "17x1"], ["--tiles", "3"],
     ["--roi", "1,2,3"], ["--hung-after", "0"], ["--frozen-after", "-1"]],
)  # fmt: skip
def test_wrong_usage(arguments):
    assert run("--camera", "demo", *arguments).exit_code == 2


@pytest.mark.parametrize(
    ("option", "value"),
    [("hung-after", "nan"), ("frozen-after", "nan"), ("dark-below", "nan"), ("enter", "nan"),
     ("keep-days", "nan"), ("keep-mb", "0.5"), ("gpio-pulse", "nan"), ("mqtt-every", "nan"),
     ("gpio-patience", "0"), ("tiles", "17x2"), ("smooth", "5/2"), ("smooth", "nans")],
)  # fmt: skip
def test_a_value_that_cannot_be_is_refused_by_the_options_name(option, value):
    result = run("--camera", "demo", f"--{option}", value)
    assert result.exit_code == 2
    assert f"Error: Invalid value for '--{option}': " in result.stderr


def test_an_empty_folder_is_wrong_usage(tmp_path):
    result = run("--camera", str(tmp_path))
    assert result.exit_code == 2
    assert "no photos" in result.stderr


def test_without_pyav_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.delitem(sys.modules, "corrosion_edge.device.sources.av_source", raising=False)
    monkeypatch.setitem(sys.modules, "av", None)
    (tmp_path / "a.mkv").touch()
    result = run("--camera", str(tmp_path / "a.mkv"))
    assert result.exit_code == 2
    assert "pip install 'corrosion-edge[device]'" in result.stderr


def test_a_machine_that_computes_otherwise_is_refused_before_the_camera(camera, monkeypatch):
    asked = camera("frame", live=False)

    def differs(self, level):
        raise BackendError("this machine answers 9 steps away")

    monkeypatch.setattr(Classifier, "check_golden", differs)
    result = run()
    assert result.exit_code == 1
    assert "9 steps away" in result.stderr
    assert asked == []


def test_a_machine_that_differs_a_little_is_told_and_works(camera, monkeypatch):
    camera("frame", live=False)
    monkeypatch.setattr(Classifier, "check_golden", lambda self, level: ["it differs by 9 steps"])
    result = run("--json")
    assert result.exit_code == 0
    assert "warning: it differs by 9 steps\n" in result.stderr
    assert len(lines(result)) == 1


def test_ctrl_c_is_a_clean_end(camera, monkeypatch):
    camera("frame", "frame", "frame", live=False)
    classify = Classifier.classify

    def pressed(self, pixels):
        signal.raise_signal(signal.SIGINT)
        return classify(self, pixels)

    monkeypatch.setattr(Classifier, "classify", pressed)
    before = signal.getsignal(signal.SIGINT)
    result = run("--json")
    assert result.exit_code == 0
    assert len(lines(result)) == 1
    assert "1 delivered = 1 classified" in result.stderr
    assert signal.getsignal(signal.SIGINT) is before


def test_a_reader_that_leaves_is_no_traceback(folder):
    code = "from corrosion_edge.cli import main; main()"
    command = [sys.executable, "-c", _with_fakes(code), "watch", "--camera", str(folder), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        told = process.stderr.read().decode()
    assert process.returncode == 1
    assert "Traceback" not in told
    assert "Exception" not in told


def test_a_full_disk_is_one_sentence(folder):
    code = "from corrosion_edge.cli import main; main()"
    command = [sys.executable, "-c", _with_fakes(code), "watch", "--camera", str(folder)]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, check=False, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert "cannot be written (No space left on device)" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_a_waiting_process_cleanly(folder, number):
    """The second picture is an hour away, so the signal comes while it waits."""
    code = "from corrosion_edge.cli import main; main()"
    command = [sys.executable, "-c", _with_fakes(code), "watch", "--camera", str(folder),
               "--json", "--interval", "3600"]  # fmt: skip
    _end_and_check(command, number)


@has_model
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_the_real_thing_cleanly(folder, number):
    command = [sys.executable, "-m", "corrosion_edge", "watch", "--camera", str(folder), "--json",
               "--interval", "3600"]  # fmt: skip
    _end_and_check(command, number)


@has_model
def test_the_default_model_sees_rust_spread_in_the_demo(monkeypatch):
    monkeypatch.undo()
    result = run("--camera", "demo", "--json")
    assert result.exit_code == 0
    scores = [line["score"] for line in lines(result)]
    assert sum(scores[-6:]) > sum(scores[:6])


def _end_and_check(command, number):
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert json.loads(process.stdout.readline())["index"] == 0
        time.sleep(0.2)
        process.send_signal(number)
        told = process.stderr.read()
    assert process.returncode == 0, told
    assert "1 delivered = 1 classified" in told
    assert "Traceback" not in told


def _with_fakes(code):
    """The code, to be run in a process whose classifier is the fake one."""
    return f"""
from corrosion_edge.bundle import Bundle
from corrosion_edge.device.backends.fake import FakeBackend
from corrosion_edge.device.classifier import Classifier
made = Classifier(
    Bundle.seal(b"\\0\\0\\0\\0TFL3fake", {{}}, name="fake", outputs={{"scores": "a", "map": "b"}}),
    FakeBackend(),
)
Classifier.open = lambda model=None, **_: made
{code}
"""
