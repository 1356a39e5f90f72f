"""What the page, the metrics and /healthz say of the smoothed verdict, and of what waits."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from corrosion_edge.cli import cli
from corrosion_edge.device.capture.patience import Backoff
from corrosion_edge.device.capture.state import CameraState
from corrosion_edge.device.clock_watch import ClockSet
from corrosion_edge.device.events.event import Happening
from corrosion_edge.device.events.following import Following
from corrosion_edge.device.events.settings import Detection
from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.store import Keeper, Store
from corrosion_edge.device.telling.backlog import Backlog
from corrosion_edge.device.telling.courier import BEGINNING
from corrosion_edge.device.telling.delivery import Delivery
from corrosion_edge.device.telling.saying import Saying
from corrosion_edge.device.telling.sender import Later, Sender
from corrosion_edge.device.verdict import Verdict
from corrosion_edge.device.web.smoothed import Smoothed
from corrosion_edge.device.web.view import View
from corrosion_edge.frame import Frame
from corrosion_edge.prediction import Prediction

SINCE = datetime(2026, 3, 1, 12, tzinfo=UTC)


def state(served):
    return json.loads(served.ask("/api/state").content)


def metrics(served):
    text = served.ask("/metrics").content.decode()
    return {(s.name, *s.labels.values()): s.value
            for family in text_string_to_metric_families(text) for s in family.samples}  # fmt: skip


def stamped(verdict, second, score):
    """A verdict on a frame of a moment."""
    shot = verdict(score).frame
    frame = Frame(shot.pixels, second, SINCE + timedelta(seconds=second), monotonic=100.0 + second)
    return Verdict(frame, Prediction(score, 0.5, band=(0.4, 0.6)), 5.0)


def test_corrosion_is_that_of_the_event_with_its_start_and_not_the_newest_frames(serve, verdict):
    served = serve()
    for second, score in enumerate((0.1, 0.9, 0.9, 0.9)):
        served.live.take(stamped(verdict, second, score))
    began = (SINCE + timedelta(seconds=1)).isoformat(timespec="milliseconds")
    for second, score in ((4, 0.1), (5, 0.1)):
        served.live.take(stamped(verdict, second, score))
        (camera,) = state(served)["cameras"]
        assert camera["word"] == "no-corrosion"
        assert (camera["corrosion"], camera["corrosion_since"]) == (True, began)
    told = metrics(served)
    assert told["corrosion_edge_corrosion", "deck"] == 1
    at = told["corrosion_edge_corrosion_began_timestamp_seconds", "deck"]
    assert at == pytest.approx((SINCE + timedelta(seconds=1)).timestamp())
    served.live.take(stamped(verdict, 6, 0.1))
    (camera,) = state(served)["cameras"]
    assert camera["corrosion"] is False
    assert camera["corrosion_since"] > began
    told = metrics(served)
    assert told["corrosion_edge_corrosion", "deck"] == 0
    assert ("corrosion_edge_corrosion_began_timestamp_seconds", "deck") not in told


def test_nobody_can_tell_before_there_is_evidence_and_while_a_camera_is_away(serve, verdict):
    served = serve()
    served.live.take(stamped(verdict, 0, 0.9))
    assert state(served)["cameras"][0]["corrosion"] is None
    assert ("corrosion_edge_corrosion", "deck") not in metrics(served)
    for second in (1, 2, 3):
        served.live.take(stamped(verdict, second, 0.1))
    assert state(served)["cameras"][0]["corrosion"] is False
    served.live.take(CameraState("deck", "lost", "gone", datetime.now(UTC), "running"))
    assert state(served)["cameras"][0]["corrosion"] is None


def test_since_when_is_put_right_with_the_clock(verdict):
    following = Following(("deck",), Detection.for_model, 0.5, (0.4, 0.6))
    smoothed = Smoothed(following)
    for second in range(3):
        smoothed.take(stamped(verdict, second, 0.9))
    began = smoothed.told("deck").since
    assert began == SINCE
    at = Stamp(SINCE + timedelta(days=30, seconds=60), 160.0, Stamp.now().boot)
    smoothed.take(ClockSet(at, 30 * 86400.0))
    assert smoothed.told("deck").since == SINCE + timedelta(days=30)


@pytest.fixture
def store(tmp_path):
    with Keeper(Store(tmp_path / "ev")) as keeper:
        for second in range(3):
            at = Stamp(SINCE + timedelta(seconds=second), 5.0 + second, "boot")
            keeper.append(Happening(kind="started", at=at, clock_set=True))
    return tmp_path / "ev"


def behind(reached=1, error="nobody answers there", name="mqtt"):
    since = SINCE + timedelta(hours=1) if error else None
    return lambda: Backlog(name, f"{name} mqtt://b:1883", reached, error, since)


def test_what_waits_is_told_everywhere_and_makes_nobody_ill(serve, store, verdict):
    fine = behind(3, "", "webhook ops")
    served = serve(store=store, backlogs=[behind(), fine, behind(None, "")])
    served.live.take(verdict(0.9))
    told = state(served)
    assert told["healthy"]
    assert told["deliveries"] == [
        {"name": "mqtt", "to": "mqtt mqtt://b:1883", "waiting": 2,
         "since": "2026-03-01T12:00:01.000+00:00", "error": "nobody answers there",
         "failing_since": "2026-03-01T13:00:00.000+00:00"},
        {"name": "webhook ops", "to": "webhook ops mqtt://b:1883", "waiting": 0, "since": None,
         "error": "", "failing_since": None},
        {"name": "mqtt", "to": "mqtt mqtt://b:1883", "waiting": None, "since": None, "error": "",
         "failing_since": None},
    ]  # fmt: skip
    answer = served.ask("/healthz")
    assert answer.status == 200
    *_, last = answer.content.decode().splitlines()
    assert last.startswith("mqtt mqtt://b:1883: 2 events waiting since 2026-03-01T")
    assert last.endswith("; nobody answers there")


def test_the_metrics_of_what_waits(serve, store):
    served = serve(store=store, backlogs=[behind(), behind(3, "", "webhook ops")])
    told = metrics(served)
    name = "corrosion_edge_delivery"
    assert told[f"{name}_waiting_events", "mqtt"] == 2
    assert told[f"{name}_waiting_events", "webhook ops"] == 0
    assert told[f"{name}_failing", "mqtt"] == 1
    assert told[f"{name}_failing", "webhook ops"] == 0
    since = (SINCE + timedelta(seconds=1)).timestamp()
    assert told[f"{name}_waiting_since_timestamp_seconds", "mqtt"] == since


def test_without_anybody_to_tell_nothing_waits(serve, verdict):
    served = serve()
    served.live.take(verdict(0.9))
    assert state(served)["deliveries"] == []
    assert len(served.ask("/healthz").content.splitlines()) == 1


class Shut(Sender):
    name = "a post"

    def __init__(self):
        self.tried, self.open = threading.Event(), threading.Event()

    def send(self, event):
        self.tried.set()
        if not self.open.is_set():
            raise Later("the door is shut")

    def close(self):
        pass


def test_a_delivery_tells_how_far_it_is_and_what_fails(store):
    sender, said = Shut(), threading.Event()
    clock = [50.0]
    saying = Saying("a post", lambda line: said.set(), lambda: clock[0])
    made = Delivery(store, "c", sender, begin=BEGINNING, saying=saying, backoff=Backoff(0.01, 0.02))
    assert made.backlog() == Backlog("c", "a post")
    made.start()
    try:
        assert said.wait(30)
        clock[0] += 60
        told = made.backlog()
        assert (told.reached, told.error) == (0, "the door is shut")
        age = datetime.now(UTC) - told.failing_since
        assert timedelta(seconds=60) <= age < timedelta(hours=1)
        said.clear()
        sender.open.set()
        assert said.wait(30)  # that it works again
        for _ in range(3000):
            if made.backlog().reached == 3:
                break
            threading.Event().wait(0.01)
        assert made.backlog() == Backlog("c", "a post", 3)
    finally:
        made.close()


def test_the_page_hears_of_brokers_and_webhooks(classifier, tmp_path, monkeypatch):
    """Whatever the order in which outlets are opened."""
    pytest.importorskip("paho", reason="the extra mqtt is not installed")
    made = []
    of = View.of
    monkeypatch.setattr(View, "of", lambda *how: made.append(of(*how)) or made[0])
    result = CliRunner().invoke(cli, [
        "watch", "--camera", "demo", "--frames", "2", "--store", str(tmp_path / "ev"),
        "--web", "127.0.0.1:0", "--mqtt", "mqtt://127.0.0.1:1", "--webhook", "http://127.0.0.1:1",
        "--webhook", "ops=http://127.0.0.1:1", "--smooth", "1/1",
    ])  # fmt: skip
    assert result.exit_code == 0, result.output
    told = [each.to_dict() for each in made[0].deliveries()]
    assert [each["name"] for each in told] == ["mqtt", "webhook", "webhook ops"]
    assert {each["error"] for each in told} == {"nobody answers there"}
    assert all(each["waiting"] >= 2 for each in told)


def test_smoothing_may_be_set_for_the_page_alone(classifier):
    words = ["watch", "--camera", "demo", "--frames", "1", "--smooth", "1/1"]
    result = CliRunner().invoke(cli, [*words, "--web", "127.0.0.1:0"])
    assert result.exit_code == 0, result.output
