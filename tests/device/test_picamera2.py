"""The picamera2 driver on a stub that obeys libcamera's rules on formats and byte order."""

import sys
import time
import types
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corrosion_edge.device.capture import Framing, Look, Patience, open_camera
from corrosion_edge.device.capturing import Capture
from corrosion_edge.device.sources import Wish, open_directly, open_source, picamera2_source
from corrosion_edge.device.sources.low_stream import low_size
from corrosion_edge.device.sources.picamera2_source import SIZE, Picamera2Source, attached
from corrosion_edge.errors import SourceError, SourceLost

av = pytest.importorskip("av", reason="PyAV is not installed")

RUST = (183, 65, 14)


class StubJob(Future):
    get_result = Future.result


class StubCamera:
    """Shows a plain rust-coloured wall; ``RGB888`` is blue, green, red in memory as in reality.

    Its low-resolution stream shows ``low``, in planes whose rows are filled up to 64 bytes. Where
    it ``hangs`` no request completes any more. A camera is had once, and given back by its close.
    It keeps the rate asked for, unless its frames last ``lasting`` microseconds (None: not told).
    """

    cameras = ({"Num": 0, "Id": "/base/soc/i2c0mux/i2c@1/imx708@1a", "Model": "imx708"},)
    instead: str | None = None  # a format handed out whatever was asked for
    low_instead: str | None = None
    low = RUST
    trouble: Exception | None = None
    hangs = False
    lasting: int | None = 0
    made: "list[StubCamera]" = []  # noqa: RUF012

    def __init__(self, number=0):
        if StubCamera.trouble:
            raise StubCamera.trouble
        if any(made.number == number and "closed" not in made.history for made in StubCamera.made):
            raise RuntimeError("Failed to acquire camera: Device or resource busy")
        self.number = number
        self.history = []
        self.controls = {}
        self.fails = False
        StubCamera.made.append(self)

    @staticmethod
    def global_camera_info():
        return list(StubCamera.cameras)

    def create_video_configuration(self, main, lores=None, controls=None):
        self.controls = controls or {}
        space = "SMPTE170M" if main["size"][0] < 1280 or main["size"][1] < 720 else "Rec709"
        colours = f"<libcamera.ColorSpace '{space}'>"
        return {"main": dict(main), "lores": lores and dict(lores), "colour_space": colours}

    def configure(self, configuration):
        self.asked = configuration
        self._main, self._low = dict(configuration["main"]), configuration["lores"]
        self._main["format"] = StubCamera.instead or self._main["format"]
        if self._low:
            stride = -(-self._low["size"][0] // 128) * 128
            self._low = {**self._low, "stride": stride}
            self._low["format"] = StubCamera.low_instead or self._low["format"]

    def camera_configuration(self):
        return {"main": self._main, "lores": self._low}

    def start(self):
        self.history.append("started")

    def capture_arrays(self, names=("main",), wait=None, signal_function=None):
        """As of picamera2 0.3.12, where seconds to wait are no limit but true."""
        job = StubJob()
        if self.fails:
            job.set_exception(RuntimeError("Camera frontend has timed out!"))
        elif not StubCamera.hangs:
            shown = {"main": self._whole, "lores": self._lores}
            job.set_result(([shown[name]() for name in names], self._metadata()))
        if signal_function and job.done():
            signal_function(job)
        return job.result() if wait or (wait is None and not signal_function) else job

    def _metadata(self):
        if StubCamera.lasting is None:
            return {"SensorTimestamp": time.monotonic_ns()}
        asked = round(1e6 / self.controls.get("FrameRate", 30))
        return {"FrameDuration": StubCamera.lasting or asked}

    def _lores(self):
        (width, height), stride = self._low["size"], self._low["stride"]
        picture = np.full((height, width, 3), StubCamera.low, np.uint8)
        matrix = 1 if "709" in self.asked["colour_space"] else 6
        yuv = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
            format="yuv420p", dst_colorspace=matrix).to_ndarray()  # fmt: skip
        y, uv = yuv[:height], yuv[height:].reshape(height, width // 2)
        rest = stride - width
        return np.concatenate([
            np.pad(y, ((0, 0), (0, rest)), constant_values=255),
            np.pad(uv, ((0, 0), (0, rest // 2)), constant_values=255).reshape(height // 2, stride),
        ])  # fmt: skip

    def _whole(self):
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
    monkeypatch.setattr(picamera2_source, "_held", set())
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


@pytest.mark.parametrize(
    ("rate", "lasting", "paced", "period"),
    [(0.08, 0, True, 12.5), (5.0, 200_500, True, 0.2005), (5.0, 33_333, False, 0.033333),
     (5.0, None, False, 0.0), (None, 33_333, False, 0.033333)],
)  # fmt: skip
def test_the_rate_is_that_of_its_frames_and_not_what_was_asked(stub, rate, lasting, paced, period):
    stub.setattr(StubCamera, "lasting", lasting)
    with Picamera2Source(0, Wish(None, rate)) as source:
        assert source.period == (1 / rate if rate else 0.0)
        source.read()
        assert (source.paced, source.period) == (paced, pytest.approx(period))


def test_frames_that_come_faster_than_asked_are_skipped_and_that_is_said(stub, capsys):
    stub.setattr(StubCamera, "lasting", 33_333)
    with open_camera("picamera2", wish=Wish(None, 5.0)) as source:
        source.read()
        assert Capture(rate=5.0).interval(0.0, source) == pytest.approx(0.2)
    assert "keeps no rate of 5: frames are skipped here" in capsys.readouterr().err


def test_the_stub_is_as_treacherous_as_the_real_one(stub):
    camera = StubCamera()
    camera.configure({"main": {"size": (4, 2), "format": "RGB888"}, "lores": None})
    ((pixels,), _) = camera.capture_arrays(["main"])
    assert tuple(pixels[0, 0]) == RUST[::-1]


SIZES = ((224, 224), (192, 160))


@pytest.mark.parametrize("resolution", [None, (1280, 720), (1920, 1080), (2028, 1520)])
def test_the_image_processor_scales(stub, resolution):
    wish = Wish(resolution, None, SIZES)
    with Picamera2Source(0, wish) as source:
        frame = source.read()
    width, height = resolution or SIZE
    assert frame.size == (width, height)
    low = StubCamera.made[0].asked["lores"]
    assert low["format"] == "YUV420"
    assert low["size"][0] / low["size"][1] == pytest.approx(width / height, rel=0.003)
    assert min(low["size"]) >= 448
    for size in SIZES:
        small = frame.fitting(size)
        assert small.shape == (size[1], size[0], 3)
        assert np.abs(small.astype(int) - RUST).max() <= 2


def test_a_stream_that_shows_something_else_is_given_up(stub):
    said = []
    stub.setattr(StubCamera, "low", (40, 40, 40))
    with Picamera2Source(0, Wish(scaled=SIZES)) as source:
        look = Look(Framing(), said.append)
        assert not look(source.read()).scaled
    assert "scaled here from now on" in said[0]


@pytest.mark.parametrize("wish", [Wish(), Wish((320, 240), None, SIZES)])
def test_no_second_stream_where_it_is_not_wanted_or_would_be_no_smaller(stub, wish):
    with Picamera2Source(0, wish) as source:
        assert source.read().scaled == ()
    assert StubCamera.made[0].asked["lores"] is None


def test_another_format_of_the_second_stream_is_refused(stub):
    stub.setattr(StubCamera, "low_instead", "NV12")
    with pytest.raises(
        SourceError, match="delivers NV12 where YUV420 was asked for; add --no-scale"
    ):
        Picamera2Source(0, Wish(scaled=SIZES))
    assert StubCamera.made[0].history == ["closed"]


def test_a_second_stream_that_belies_the_configuration_is_refused(stub):
    with Picamera2Source(0, Wish(scaled=SIZES)) as source:
        StubCamera.made[0]._low["size"] = (64, 48)
        with pytest.raises(SourceError, match="expected a low-resolution stream of uint8"):
            source.read()


@given(st.tuples(st.integers(16, 2300), st.integers(16, 2300)),
       st.lists(st.tuples(st.integers(1, 600), st.integers(1, 600)), max_size=3))  # fmt: skip
def test_the_size_asked_for_is_smaller_even_and_large_enough(half, wanted):
    main = (2 * half[0], 2 * half[1])
    low = low_size(main, wanted)
    if low is None:
        return
    assert all(side % 2 == 0 for side in low)
    assert all(side < of for side, of in zip(low, main, strict=True))
    assert all(2 * side <= of + 1 for size in wanted for side, of in zip(size, low, strict=True))


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


def test_a_camera_that_hangs_is_closed_and_opened_again(stub):
    told = []

    def observe(state):
        told.append(state)
        StubCamera.hangs = StubCamera.hangs and state.event != "lost"

    patience = Patience(hung_after=0.4)
    with open_camera("picamera2", patience=patience, observe=observe) as source:
        source.read()
        stub.setattr(StubCamera, "hangs", True)
        while told[-1].event != "recovered":
            source.read()
    reasons = [state.reason for state in told if state.event == "lost"]
    assert reasons == ["no frame for 0.4 s; check the camera's cable or network"]
    assert told[-2].abandoned == 0
    assert [one.history for one in StubCamera.made] == [["started", "closed"]] * 2


def test_a_read_that_waits_ends_when_it_is_interrupted(stub):
    stub.setattr(StubCamera, "hangs", True)
    with Picamera2Source() as source, ThreadPoolExecutor() as pool:
        reading = pool.submit(source.read)
        assert source.interrupt()
        with pytest.raises(SourceLost, match="no frame came; check the ribbon cable"):
            reading.result(10)


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


def test_a_camera_that_this_program_has_is_said_to_be_its_own(stub):
    with Picamera2Source(), pytest.raises(SourceError, match="in use by this program itself"):
        Picamera2Source()
    with Picamera2Source() as source:  # and given back
        source.read()


def test_who_has_some_camera_open_has_this_one_only_perhaps(stub):
    stub.setattr(StubCamera, "trouble", RuntimeError("Device or resource busy"))
    stub.setattr(picamera2_source, "holder", lambda paths: "motion (process 12)")
    with pytest.raises(SourceError, match=r"in use by a program, perhaps motion \(process 12\)"):
        Picamera2Source()


def test_who_has_locked_a_media_device_has_the_camera(stub):
    """Others, which only looked for cameras, have one open too."""
    stub.setattr(StubCamera, "trouble", RuntimeError("Device or resource busy"))
    stub.setattr(picamera2_source, "holder", lambda paths: "wireplumber (process 9)")
    stub.setattr(picamera2_source, "locker", lambda paths: "rpicam-vid (process 12)")
    with pytest.raises(SourceError, match=r"in use by rpicam-vid \(process 12\); end that first"):
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
