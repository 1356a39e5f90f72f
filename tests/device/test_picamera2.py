"""The picamera2 driver on a stub that obeys libcamera's rules on formats and byte order."""

import sys
import time
import types

import numpy as np
import pytest

from corrosion_edge.device.sources import Wish, open_directly, open_source, picamera2_source
from corrosion_edge.device.sources.picamera2_source import SIZE, Picamera2Source, attached
from corrosion_edge.errors import SourceError, SourceLost

RUST = (183, 65, 14)


class StubCamera:
    """Shows a plain rust-coloured wall; ``RGB888`` is blue, green, red in memory as in reality."""

    cameras = ({"Num": 0, "Id": "/base/soc/i2c0mux/i2c@1/imx708@1a", "Model": "imx708"},)
    instead: str | None = None  # a format handed out whatever was asked for
    trouble: Exception | None = None
    made: "list[StubCamera]" = []  # noqa: RUF012

    def __init__(self, number=0):
        if StubCamera.trouble:
            raise StubCamera.trouble
        self.number = number
        self.history = []
        self.fails = False
        StubCamera.made.append(self)

    @staticmethod
    def global_camera_info():
        return list(StubCamera.cameras)

    def create_video_configuration(self, main, controls=None):
        self.controls = controls
        return {"main": dict(main)}

    def configure(self, configuration):
        self._main = dict(configuration["main"])
        self._main["format"] = StubCamera.instead or self._main["format"]

    def camera_configuration(self):
        return {"main": self._main}

    def start(self):
        self.history.append("started")

    def capture_array(self, name):
        assert name == "main"
        if self.fails:
            raise RuntimeError("Camera frontend has timed out!")
        width, height = self._main["size"]
        if self._main["format"] == "NV12":
            return np.full((height * 3 // 2, width), 128, np.uint8)
        order = {"BGR888": RUST, "RGB888": RUST[::-1]}[self._main["format"]]
        return np.full((height, width, 3), order, np.uint8)

    def close(self):
        self.history.append("closed")


@pytest.fixture
def stub(monkeypatch):
    module = types.ModuleType("picamera2")
    module.Picamera2 = StubCamera
    module.__spec__ = types.SimpleNamespace(name="picamera2")
    monkeypatch.setitem(sys.modules, "picamera2", module)
    monkeypatch.setattr(StubCamera, "made", [])
    return monkeypatch


def test_the_pixels_are_red_green_blue(stub):
    with Picamera2Source() as source:
        frame = source.read()
    assert tuple(frame.pixels[5, 5]) == RUST
    assert frame.pixels.shape == (SIZE[1], SIZE[0], 3)
    assert StubCamera.made[0].history == ["started", "closed"]


def test_size_and_rate_are_asked_of_the_camera(stub):
    with open_directly("picamera2", Wish((640, 480), 5.0)) as source:
        assert source.read().pixels.shape == (480, 640, 3)
        assert source.paced
    assert StubCamera.made[0].controls == {"FrameRate": 5.0}


def test_the_stub_is_as_treacherous_as_the_real_one(stub):
    camera = StubCamera()
    camera.configure({"main": {"size": (4, 2), "format": "RGB888"}})
    assert tuple(camera.capture_array("main")[0, 0]) == RUST[::-1]


@pytest.mark.parametrize("granted", ["NV12", "RGB888", "XBGR8888"])
def test_another_format_handed_out_in_silence_is_refused(stub, granted):
    stub.setattr(StubCamera, "instead", granted)
    with pytest.raises(SourceError, match=f"delivers {granted} where BGR888 was asked"):
        Picamera2Source()
    assert StubCamera.made[0].history == ["closed"]


def test_pixels_that_belie_the_configuration_are_refused(stub):
    with Picamera2Source() as source:
        StubCamera.made[0]._main["format"] = "NV12"
        with pytest.raises(SourceError, match="expected uint8 pixels of"):
            source.read()


def test_a_camera_that_stops_is_lost(stub):
    with Picamera2Source() as source:
        source.read()
        StubCamera.made[0].fails = True
        with pytest.raises(SourceLost, match="timed out"):
            source.read()


def test_an_unpaced_camera_is_held_to_sixty_a_second(stub):
    with Picamera2Source() as source:
        start = time.monotonic()
        for _ in range(7):
            source.read()
        assert time.monotonic() - start >= 6 / 60 - 0.01


@pytest.mark.parametrize("text", ["Device or resource busy", "Failed to acquire camera"])
def test_a_busy_camera_is_said_to_be_in_use(stub, text):
    stub.setattr(StubCamera, "trouble", RuntimeError(text))
    with pytest.raises(SourceError, match="in use by another program"):
        Picamera2Source()


def test_other_trouble_at_the_opening_is_one_sentence(stub):
    stub.setattr(StubCamera, "trouble", RuntimeError("no tuning file"))
    with pytest.raises(SourceError, match=r"picamera2:0: cannot be opened \(no tuning file\)"):
        Picamera2Source()


def test_a_number_beyond_the_last_camera_is_refused(stub):
    with pytest.raises(SourceError, match="picamera2:1: no such camera, 1 found"):
        open_source("picamera2:1")


def test_usb_cameras_are_left_to_v4l2(stub):
    usb = {"Num": 1, "Id": "/base/axi/pcie@120000/rp1/usb@200000-1:1.0-046d:0825"}
    stub.setattr(StubCamera, "cameras", (*StubCamera.cameras, usb))
    assert attached() == [0]


def test_auto_takes_it_first(stub):
    with open_source("auto") as source:
        assert source.name == "picamera2:0"
        assert tuple(source.read().pixels[0, 0]) == RUST


def test_without_the_package_nothing_is_attached(monkeypatch):
    monkeypatch.setattr(picamera2_source.importlib.util, "find_spec", lambda name: None)
    assert attached() == []


def test_without_the_package_the_way_to_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(SourceError, match="sudo apt install python3-picamera2"):
        open_source("picamera2")


def test_a_package_that_does_not_load_is_no_missing_camera(monkeypatch, tmp_path):
    (tmp_path / "picamera2.py").write_text("raise ValueError('numpy.dtype size changed')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "picamera2", raising=False)
    with pytest.raises(SourceError, match=r"does not load \(numpy\.dtype size changed\)"):
        open_source("auto")
