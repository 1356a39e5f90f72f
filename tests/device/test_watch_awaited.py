"""``corrosion-edge watch --await-cameras`` from the outside: nothing is there when it starts."""

import itertools
import json
import os
import select
import socket
import subprocess
import sys
import urllib.request

import pytest
from click.testing import CliRunner

from corrosion_edge.bundle import DEFAULT_MODEL
from corrosion_edge.cli import cli
from corrosion_edge.device import capture
from corrosion_edge.device.capture import Backoff
from corrosion_edge.device.sources.fake import FakeCamera
from corrosion_edge.device.store import Reader
from corrosion_edge.device.store.verify import verify
from corrosion_edge.errors import SourceError

ABSENT = SourceError("/dev/video0: no such device")


@pytest.fixture
def openings(classifier, monkeypatch):
    """Script what opening a source comes to, by its name; each is a list of steps or an error."""
    monkeypatch.setattr(Backoff, "pause", lambda self: 0.01)

    def script(**named):
        named = {name: iter(each) for name, each in named.items()}

        def opened(spec, wish):
            made = next(named[spec.removeprefix("/dev/")])
            if isinstance(made, Exception):
                raise made
            camera = FakeCamera(made, period=0.01)
            camera.paced = wish.rate is not None
            return camera

        monkeypatch.setattr(capture.opening, "open_directly", opened)

    return script


def run(*arguments):
    return CliRunner().invoke(cli, ["watch", *map(str, arguments)])


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def frames():
    return itertools.repeat("frame")


def test_a_camera_that_comes_later_is_events_and_verdicts_and_no_failure(openings, tmp_path):
    openings(video0=[ABSENT, ABSENT, frames()])
    result = run("--camera", "/dev/video0", "--await-cameras", "--frames", "3", "--json",
                 "--store", tmp_path / "ev", "--asset", "Bridge", "--rate", "1000")  # fmt: skip
    assert result.exit_code == 0, result.output
    kinds = [line.get("event", "verdict") for line in lines(result)]
    assert kinds[:4] == ["started", "camera_lost", "camera_recovered", "verdict"]
    assert (kinds.count("verdict"), kinds[-1]) == (3, "stopped")
    assert lines(result)[1]["reason"] == "no such device"
    assert "watching /dev/video0;" in result.stderr
    assert "here" not in result.stderr  # the driver keeps the rate, as is known once it is there
    with Reader(tmp_path / "ev") as reader:
        stored = [event.fields for event in reader.events()]
    assert [fields["kind"] for fields in stored[:3]] == [
        "started",
        "camera_lost",
        "camera_recovered",
    ]
    assert {fields["camera"] for fields in stored[1:3]} == {"/dev/video0"}
    assert stored[1]["asset"] == "Bridge"
    verify(tmp_path / "ev")


def test_a_store_of_a_camera_that_never_came_can_be_read(openings, tmp_path):
    openings(video0=itertools.repeat(ABSENT), video1=[frames()])
    result = run("--camera", "a=/dev/video0", "--camera", "b=/dev/video1", "--await-cameras",
                 "--frames", "5", "--json", "--store", tmp_path / "ev")  # fmt: skip
    assert result.exit_code == 0, result.output
    seen = lines(result)
    assert {line["camera"] for line in seen if "score" in line} == {"b"}
    assert [line["event"] for line in seen if "event" in line and line["camera"] == "a"] == [
        "camera_lost"
    ]
    report = CliRunner().invoke(
        cli, ["events", "report", str(tmp_path / "ev"), "--out", str(tmp_path / "report.html")]
    )
    assert report.exit_code == 0, report.output
    assert "no such device" in (tmp_path / "report.html").read_text()


def test_without_the_option_the_error_names_it(openings):
    openings(video0=[ABSENT, ABSENT])
    result = run("--camera", "/dev/video0")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == (
        "Error: /dev/video0: no such device; to wait until it comes, add --await-cameras"
    )
    assert "--await" not in run("--camera", "/dev/video0", "--no-reconnect").stderr
    assert "--await" not in run("--camera", "clip-that-is-not-there.mp4").stderr
    assert "--await" not in run("--camera", "ftp://host/x").stderr


@pytest.mark.parametrize(
    ("camera", "code"),
    [("clip-that-is-not-there.mp4", 1), ("ftp://host/x", 2), ("a=demo", 2)],
)
def test_what_can_never_come_is_an_error_all_the_same(classifier, tmp_path, camera, code):
    result = run("--camera", camera, "--await-cameras", "--store", tmp_path / "ev")
    assert result.exit_code == code
    assert not (tmp_path / "ev").exists()


@pytest.mark.parametrize("spec", ["demo", "{folder}", "{folder}/0.png"])
def test_recordings_folders_and_the_demo_bear_the_option(classifier, folder, spec):
    result = run("--camera", spec.format(folder=folder), "--await-cameras", "--frames", "1")
    assert result.exit_code == 0, result.output


def test_to_wait_for_what_is_not_reconnected_is_wrong_usage(classifier):
    result = run("--camera", "/dev/video0", "--await-cameras", "--no-reconnect")
    assert result.exit_code == 2
    assert "leave one of them out" in result.stderr


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def told_to_systemd(listener, wanted, seconds=60):
    """The first message that has it."""
    while select.select([listener], [], [], seconds)[0]:
        message = dict(line.split("=", 1) for line in listener.recv(4096).decode().splitlines())
        if wanted in message:
            return message
    raise AssertionError(f"no {wanted}")


def get(address):
    with urllib.request.urlopen(address) as answer:
        return answer.read()


@pytest.fixture
def watch(tmp_path):
    """Start the real thing as a service: its process, and systemd's end of the socket."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(tmp_path / "notify"))
    started = []

    def start(*words):
        process = subprocess.Popen(
            [sys.executable, "-m", "corrosion_edge", "watch", "--json", "--threads", "1", *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify"),
                 "WATCHDOG_USEC": "900000"},
        )  # fmt: skip
        started.append(process)
        return process, listener

    yield start
    for process in started:
        process.kill()
        process.communicate()
    listener.close()


@pytest.mark.skipif(not DEFAULT_MODEL.exists(), reason="the package carries no default model yet")
def test_the_service_is_ready_beats_and_shows_the_camera_as_lost_until_it_comes(
    watch, serve, pictures, tmp_path
):
    pytest.importorskip("av", reason="PyAV is not installed")
    port = free_port()
    process, systemd = watch("--camera", f"http://me:secret@127.0.0.1:{port}/camera",
                             "--await-cameras", "--store", str(tmp_path / "ev"),
                             "--web", "127.0.0.1:0", "--metrics", "127.0.0.1:0")  # fmt: skip
    assert json.loads(process.stdout.readline())["event"] == "started"
    lost = json.loads(process.stdout.readline())
    assert lost["event"] == "camera_lost"
    assert lost["camera"] == f"http://127.0.0.1:{port}/camera"
    assert "READY" in told_to_systemd(systemd, "READY")
    for _ in range(3):
        told_to_systemd(systemd, "WATCHDOG")
    while not (line := process.stderr.readline()).startswith("page at "):
        assert line, "no page"
    page = line.split()[2]
    metrics = process.stderr.readline().split()[2]
    (camera,) = json.loads(get(f"{page}api/state"))["cameras"]
    assert (camera["word"], camera["up"], camera["shot"]) == ("lost", False, None)
    assert "Connection refused" in camera["reason"]
    assert b"corrosion_edge_camera_up{" in (told := get(metrics))
    assert b"corrosion_edge_camera_up{" + _label(camera["name"]) + b"} 0.0" in told
    serve(jpegs=pictures, port=port)
    back = json.loads(process.stdout.readline())
    while back["event"] == "camera_lost":
        back = json.loads(process.stdout.readline())
    assert back["event"] == "camera_recovered"
    assert "score" in json.loads(process.stdout.readline())
    process.terminate()
    _, told = process.communicate(timeout=30)
    assert process.returncode == 0, told
    assert "secret" not in told
    verify(tmp_path / "ev")


def _label(name):
    return f'camera="{name}"'.encode()
