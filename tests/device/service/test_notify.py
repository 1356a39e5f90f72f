"""Messages to systemd, on a real socket."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime

import numpy as np
import pytest

from corrosion_edge.bundle import DEFAULT_MODEL
from corrosion_edge.device.capture import Patience, Supervised
from corrosion_edge.device.pipeline import Pipeline
from corrosion_edge.device.service.heart import Heart
from corrosion_edge.device.service.notify import Notifier
from corrosion_edge.device.sources.fake import FakeCamera
from corrosion_edge.device.verdict import Verdict
from corrosion_edge.errors import SourceLost
from corrosion_edge.frame import Frame
from corrosion_edge.prediction import Prediction

WATCH = ["watch", "--camera", "demo"]
VERDICT = Verdict(
    Frame(np.zeros((2, 2, 3), np.uint8), 0, datetime.now(UTC)), Prediction(0.8, 0.5), 1
)


class Listener:
    """systemd's end of the socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)

    def next(self, seconds):
        """The next message as a table; None if there is none for so long."""
        if not select.select([self.socket], [], [], seconds)[0]:
            return None
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())

    def all(self):
        messages = []
        while (message := self.next(0)) is not None:
            messages.append(message)
        return messages


@pytest.fixture
def listener(tmp_path):
    made = Listener(str(tmp_path / "notify"))
    yield made
    made.socket.close()


@pytest.fixture
def environment(listener, tmp_path):
    return {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "300000"}


def test_assignments_arrive(listener, environment):
    Notifier(environment).send(READY="1", STATUS="all is\nwell  ")
    assert listener.all() == [{"READY": "1", "STATUS": "all is well"}]


def test_names_in_the_abstract_space():
    name = f"corrosion-edge-test-{os.getpid()}"
    listener = Listener(f"\0{name}")
    Notifier({"NOTIFY_SOCKET": f"@{name}"}).send(READY="1")
    assert listener.all() == [{"READY": "1"}]
    listener.socket.close()


@pytest.mark.parametrize("given", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "relative"}])
def test_without_a_socket_nothing_is_sent(given):
    notifier = Notifier({**given, "WATCHDOG_USEC": "1000000"})
    assert not notifier.heard
    assert notifier.watchdog is None
    notifier.send(READY="1")


def test_a_socket_that_is_gone_ends_nothing(tmp_path):
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).send(READY="1")


def test_a_full_socket_blocks_nobody(listener, environment):
    for _ in range(2000):
        Notifier(environment).send(WATCHDOG="1")
    assert listener.all()


@pytest.mark.parametrize(
    ("given", "expected"),
    [({"WATCHDOG_USEC": "30000000"}, 30.0), ({"WATCHDOG_USEC": "0"}, None), ({}, None),
     ({"WATCHDOG_USEC": "x"}, None), ({"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}, None),
     ({"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": str(os.getpid())}, 1.0)],
)  # fmt: skip
def test_who_is_watched_for_how_long(given, expected):
    assert Notifier({"NOTIFY_SOCKET": "/run/x", **given}).watchdog == expected


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_ready_once_then_pings_at_a_third_of_the_time(listener, environment):
    clock = Clock()
    with Heart(Notifier(environment), clock) as heart:
        heart.beat()
        assert listener.all() == [{"WATCHDOG": "1"}]
        heart.judged(VERDICT)
        assert listener.all() == [
            {"READY": "1", "STATUS": "1 verdicts; the last: corrosion, 0.800"}
        ]
        pings = []
        for _ in range(100):
            clock.now += 0.02
            heart.judged(VERDICT)
            pings += listener.all()  # the kernel keeps ten
        assert {ping["WATCHDOG"] for ping in pings} == {"1"}
        assert not any("READY" in ping for ping in pings)
        assert 18 <= len(pings) <= 20  # 2 s at one in 0.1 s
    assert listener.all() == [{"STOPPING": "1", "STATUS": "ending"}]


def test_a_camera_that_is_waited_for_makes_it_ready(listener, environment):
    Heart(Notifier(environment)).waiting("picamera2:0")
    first, second = listener.all()
    assert first["READY"] == "1"
    assert first["STATUS"] == "waiting for a frame of picamera2:0; 0 verdicts so far"
    assert second["WATCHDOG"] == "1"


def test_the_pipeline_pings_while_a_live_source_waits(classifier, listener, environment):
    camera = Supervised(FakeCamera(["hang"], live=True), patience=Patience(hung_after=1.3))
    with camera, pytest.raises(SourceLost):
        Pipeline(camera, classifier, [], pulse=Heart(Notifier(environment))).run()
    messages = listener.all()
    assert messages[0]["READY"] == "1"
    assert sum("WATCHDOG" in message for message in messages) >= 2


def test_the_pipeline_pings_while_it_waits_on_purpose(classifier, listener, environment):
    with FakeCamera(["frame", "frame"], live=False) as camera:
        heart = Heart(Notifier(environment))
        Pipeline(camera, classifier, [], interval=1.2, pulse=heart).run()
    assert sum("WATCHDOG" in message for message in listener.all()) >= 4


needs_model = pytest.mark.skipif(
    not DEFAULT_MODEL.exists(), reason="the package carries no default model yet"
)


@needs_model
def test_the_real_watch_is_ready_pings_and_says_stopping(listener, environment):
    command = [
        sys.executable,
        "-m",
        "corrosion_edge",
        "watch",
        "--camera",
        "demo",
        "--interval",
        "2",
    ]
    with started(command, environment) as process:
        assert listener.next(60)["READY"] == "1"
        for _ in range(4):
            assert listener.next(60)["WATCHDOG"] == "1"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert listener.all()[-1]["STOPPING"] == "1"


HANGS = """
import time
from corrosion_edge.bundle import Bundle
from corrosion_edge.device.backends.fake import FakeBackend
from corrosion_edge.device.classifier import Classifier
made = Classifier(
    Bundle.seal(b"\\0\\0\\0\\0TFL3fake", {}, name="fake", outputs={"scores": "a", "map": "b"}),
    FakeBackend(),
)
Classifier.open = lambda model=None, **_: made
classify, count = made.classify, iter(range(9))
def hung(self, pixels):
    if next(count) == 2:
        print("hung", flush=True)
        time.sleep(600)
    return classify(pixels)
Classifier.classify = hung
from corrosion_edge.cli import main
main()
"""


def test_a_hung_pipeline_stops_the_pings(listener, environment):
    command = [
        sys.executable,
        "-c",
        HANGS,
        "watch",
        "--camera",
        "demo",
        "--interval",
        "0.4",
        "--json",
    ]
    with started(command, environment, stdout=subprocess.PIPE, text=True) as process:
        assert [json.loads(process.stdout.readline())["index"] for _ in range(2)] == [0, 1]
        assert process.stdout.readline() == "hung\n"
        before = listener.all()
        assert before[0]["READY"] == "1"
        assert sum("WATCHDOG" in message for message in before) >= 2
        assert listener.next(1.5) is None  # three times what a healthy one needs at most
        assert process.poll() is None


@contextmanager
def started(command, environment, **how):
    with subprocess.Popen(command, env={**os.environ, **environment}, **how) as process:
        try:
            yield process
        finally:
            process.kill()
