"""Which events have a picture, whose, and how many of them a camera that flaps may make."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from corrosion_edge.cli import cli
from corrosion_edge.device.events.event import Asset, ModelName
from corrosion_edge.device.events.picturing import EVERY
from corrosion_edge.device.events.recorder import Log, Recorder
from corrosion_edge.device.events.settings import Detection
from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.store import Reader
from corrosion_edge.frame import Frame
from corrosion_edge.prediction import Prediction

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
MODEL = ModelName("m", "ab" * 32, 0.5)
SETTINGS = Detection.for_model(0.5, (0.2, 0.8))
MAP = np.ones((2, 2), np.float32)


class Told(Log):
    """Remembers what happened, by its kind the last of each."""

    def __init__(self):
        self.happened = []

    def append(self, happening, summary=None, taken=()):
        self.happened.append(happening)

    def summarise(self, summary, taken=()):
        pass

    def close(self):
        pass

    def last(self, kind):
        return next(one for one in reversed(self.happened) if one.kind == kind)


class Watch:
    """A recorder whose clock the test sets; each frame has pixels of its number."""

    def __init__(self, assets=("north",)):
        self.log, self.at, self.number = Told(), 0.0, 0
        named = {name: Asset("Tank 7", "pier") for name in assets}
        self.recorder = Recorder(self.log, SETTINGS, MODEL, named, now=self.now)

    def now(self):
        return Stamp(START + timedelta(seconds=self.at), self.at, "boot")

    def frame(self):
        self.number += 1
        self.at += 1
        return np.full((4, 6, 3), self.number, np.uint8)

    def verdict(self, camera="north"):
        frame = Frame(self.frame(), self.number, self.now().wall, monotonic=self.at)
        self.recorder.verdict(camera, frame, Prediction(0.1, 0.5, MAP))

    def dark(self, count=5):
        for _ in range(count):
            frame = self.frame()
            self.recorder.unusable("north", "dark", self.now(), picture=frame)

    def shown(self, kind):
        """The number of the frame, and whether there is a map; None without a picture."""
        scene = self.log.last(kind).scene
        return scene and (int(scene.pixels[0, 0, 0]), scene.prediction is not None)


@pytest.fixture
def watch():
    return Watch()


def test_unusable_shows_what_was_unusable_and_usable_what_is_seen_again(watch):
    watch.verdict()
    watch.dark()
    assert watch.shown("unusable") == (6, False)
    for _ in range(5):
        watch.verdict()
    assert watch.shown("usable") == (11, True)


@pytest.mark.parametrize(
    ("state", "kind"),
    [("lost", "camera_lost"), ("degraded", "camera_degraded"), ("frozen", "camera_degraded")],
)
def test_a_camera_that_fails_shows_its_last_good_frame_with_its_map(watch, state, kind):
    watch.verdict()
    watch.verdict()
    watch.dark(2)
    watch.recorder.camera_state("north", state, "why")
    assert watch.shown(kind) == (2, True)
    assert watch.log.last(kind).details == {"picture_at": "2026-03-01T12:00:02.000000+00:00"}
    watch.recorder.camera_state("north", "running")
    assert watch.shown("camera_recovered") is None


def test_one_that_never_delivered_has_nothing_to_show(watch):
    watch.recorder.camera_state("north", "lost", "why")
    assert watch.shown("camera_lost") is None
    assert watch.log.last("camera_lost").details == {}


def test_another_model_shows_what_the_old_one_judged_last_of_any_camera():
    watch = Watch(("north", "south"))
    watch.verdict("north")
    watch.verdict("south")
    watch.recorder.model_changed(MODEL, SETTINGS, "put", {"file": "m"})
    assert watch.shown("model_changed") == (2, True)
    details = watch.log.last("model_changed").details
    assert (details["file"], details["picture_camera"]) == ("m", "south")


def test_what_concerns_the_watch_has_the_asset_of_its_only_camera(watch):
    watch.recorder.model_refused("bad")
    watch.recorder.close()
    told = {(one.asset.name, one.asset.position) for one in watch.log.happened}
    assert told == {("Tank 7", "pier")}
    several = Watch(("north", "south"))
    assert several.log.last("started").asset == Asset()
    assert [one["camera"] for one in several.log.last("started").details["cameras"]] == [
        "north",
        "south",
    ]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.sampled_from(["lost", "frozen", "dark"]), st.floats(1, 900)),
                max_size=60))  # fmt: skip
def test_a_camera_that_flaps_has_one_picture_an_hour_of_each_kind(steps):
    watch = Watch()
    for state, pause in steps:
        watch.at += pause
        for _ in range(5):
            watch.verdict()
        if state == "dark":
            watch.dark()
            continue
        watch.recorder.camera_state("north", state, "why")
        watch.recorder.camera_state("north", "running")
    pictured = Counter(one.kind for one in watch.log.happened if one.scene is not None)
    assert max(pictured.values(), default=0) <= 1 + watch.at / EVERY
    for one in watch.log.happened:
        if one.kind in ("camera_lost", "camera_degraded", "unusable") and one.scene is None:
            assert one.details["pictures"].startswith("left out")


def pictures(store):
    with Reader(store) as reader:
        return {event.fields["kind"]: sorted(event.pictures) for event in reader.events()}


def test_watch_stores_them(tmp_path, camera):
    camera("frame", "hang")
    CliRunner().invoke(cli, ["watch", "--store", str(tmp_path / "a")])
    found = pictures(tmp_path / "a")
    # On a machine with much else to do it may be lost before it is seen to be late.
    assert found.pop("camera_degraded", ["map", "plain"]) == ["map", "plain"]
    assert found == {"started": [], "camera_lost": ["map", "plain"], "stopped": []}


def test_watch_stores_what_was_dark(tmp_path, camera):
    camera(*["frame"] * 6, live=False)
    CliRunner().invoke(cli, ["watch", "--store", str(tmp_path), "--dark-below", "256"])
    assert pictures(tmp_path) == {"started": [], "unusable": ["plain"], "stopped": []}
