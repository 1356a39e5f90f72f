"""One body of tests over the fake camera and every real driver that this machine has."""

import functools
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from corrosion_edge.device.capture import Supervised
from corrosion_edge.device.sources import PhotoError, Source, open_source, picamera2_source, v4l2
from corrosion_edge.device.sources.demo import DemoSource
from corrosion_edge.device.sources.fake import FakeCamera
from corrosion_edge.errors import DataError, SourceError, SourceLost

GST_PYTHON = os.environ.get("GST_PYTHON", "/usr/bin/python3")
RTSP = Path(__file__).with_name("rtsp_server.py")


@functools.cache
def has_rtsp_server() -> bool:
    probe = "import gi; gi.require_version('GstRtspServer', '1.0')"
    command = [GST_PYTHON, "-c", probe]
    return (
        bool(shutil.which(GST_PYTHON))
        and not subprocess.run(command, check=False, capture_output=True).returncode
    )


@pytest.fixture(
    params=["fake", "fake recording", "folder", "photo", "demo", "video", "http video",
            "http camera", "rtsp", "v4l2", "picamera2"]
)  # fmt: skip
def source(request: pytest.FixtureRequest) -> Iterator[Source]:
    """Each kind in turn; those whose hardware or server is absent are skipped."""
    make = globals()["_" + request.param.replace(" ", "_")]
    made = make(request.getfixturevalue)
    opened = next(made)
    with opened:
        yield opened
    next(made, None)


def _fake(get):
    yield Supervised(FakeCamera(["frame"] * 50, period=0.01))


def _fake_recording(get):
    yield FakeCamera(["frame"] * 6, live=False, spacing=0.1)


def _folder(get):
    yield open_source(str(get("folder")))


def _photo(get):
    yield open_source(str(get("folder") / "0.png"))


def _demo(get):
    yield DemoSource(frames=3, size=(64, 48))


def _video(get):
    yield open_source(str(get("write_video")(get("tmp_path") / "12:30.mkv", get("pictures"))))


def _http_video(get):
    file = get("write_video")(get("tmp_path") / "clip.mkv", get("pictures"))
    yield open_source(get("serve")(file=file))


def _http_camera(get):
    pytest.importorskip("av", reason="PyAV is not installed")
    yield open_source(get("serve")(jpegs=get("pictures")))


def _rtsp(get):
    pytest.importorskip("av", reason="PyAV is not installed")
    if not has_rtsp_server():
        pytest.skip("no GStreamer RTSP server on this machine")
    with subprocess.Popen([GST_PYTHON, str(RTSP)], stdout=subprocess.PIPE, text=True) as server:
        try:
            yield open_source(server.stdout.readline().strip())
        finally:
            server.kill()


def _v4l2(get):
    if not v4l2.cameras():
        pytest.skip("no V4L2 camera on this machine")
    yield open_source(str(v4l2.cameras()[0]))


def _picamera2(get):
    if not picamera2_source.attached():
        pytest.skip("no picamera2 with a camera on this machine")
    yield open_source("picamera2")


def test_frames_are_rgb_with_growing_index_and_aware_times(source: Source):
    first = source.read()
    assert first is not None
    assert first.pixels.dtype == np.uint8
    assert first.pixels.shape[2] == 3
    assert first.taken_at.tzinfo is not None
    second = source.read()
    if second is not None:
        assert second.index > first.index
        assert second.taken_at >= first.taken_at
        assert second.pixels.shape == first.pixels.shape


def test_it_names_itself(source: Source):
    assert source.name
    assert source.dropped == 0 or source.live


def test_what_is_not_live_ends_with_none_for_good(source: Source):
    indices: list[int] = []
    while len(indices) < 10 and (frame := source.read()) is not None:
        indices.append(frame.index)
    if source.live:
        assert len(indices) == 10
    else:
        assert indices == list(range(len(indices)))
        assert indices
        assert source.read() is None


def test_closing_twice_does_nothing(source: Source):
    source.read()
    source.close()
    source.close()


def test_only_recordings_have_positions(source: Source, request: pytest.FixtureRequest):
    frame = source.read()
    assert frame is not None
    recording = request.node.callspec.params["source"] in ("fake recording", "video", "http video")
    assert (frame.position == 0.0) if recording else (frame.position is None)


@pytest.mark.parametrize("kind", ["folder", "mkv", "mp4", "http"])
def test_lossless_sources_deliver_the_very_pixels(
    kind, folder, pictures, write_video, tmp_path, serve
):
    if kind == "folder":
        spec = str(folder)
    else:
        file = write_video(tmp_path / f"clip.{'mp4' if kind == 'mp4' else 'mkv'}", pictures)
        spec = serve(file=file) if kind == "http" else str(file)
    with open_source(spec) as source:
        for picture in pictures:
            frame = source.read()
            assert frame is not None
            assert np.array_equal(frame.pixels, picture)
        assert source.read() is None


def test_a_jpeg_camera_keeps_its_colours(serve, pictures):
    pytest.importorskip("av", reason="PyAV is not installed")
    with open_source(serve(jpegs=pictures[:1])) as source:
        frame = source.read()
        assert frame is not None
        assert source.live
        off = np.abs(frame.pixels.astype(int) - pictures[0])
    assert off.mean() < 3
    assert np.allclose(frame.pixels[4, 4], (220, 40, 20), atol=8)


@pytest.mark.parametrize("turn", [90, 180, -90])
def test_a_turned_video_comes_upright(turn, write_video, pictures, tmp_path):
    # A player turns the stored picture counter-clockwise by the matrix's angle.
    with open_source(str(write_video(tmp_path / "t.mp4", pictures, turn))) as source:
        frame = source.read()
    assert frame is not None
    assert np.array_equal(frame.pixels, np.rot90(pictures[0], turn // 90))


def test_positions_are_the_recordings_own(write_video, pictures, tmp_path):
    with open_source(str(write_video(tmp_path / "a.mkv", pictures))) as source:
        positions = [source.read().position for _ in pictures]
    assert positions == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])


def test_a_broken_photo_is_reported_and_the_next_one_comes(folder):
    (folder / "1.png").write_bytes(b"\x89PNG cut")
    with open_source(str(folder)) as source:
        assert source.read().index == 0
        with pytest.raises(PhotoError, match=r"1\.png") as caught:
            source.read()
        assert caught.value.name == str(folder / "1.png")
        after = source.read()
        assert (after.index, after.name) == (2, str(folder / "2.png"))


def test_a_folder_says_what_it_passes_over(folder):
    with open_source(str(folder)) as source:
        assert source.name == str(folder)
        assert source.contents == "6 photos; passed over: 1 files that are no images"


def test_a_folder_without_photos_is_no_source(tmp_path):
    with pytest.raises(DataError, match="no photos"):
        open_source(str(tmp_path))


@pytest.mark.parametrize("share", [0.95, 0.6])
@pytest.mark.parametrize("ending", ["mp4", "avi"])
def test_a_truncated_video_gives_its_whole_frames_and_says_so(
    share, ending, write_video, pictures, tmp_path
):
    file = write_video(tmp_path / f"clip.{ending}", pictures * 4)
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    count = 0
    sentence = r"clip\.\w+: damaged or cut short"
    with open_source(str(file)) as source, pytest.raises(SourceLost, match=sentence):
        while (frame := source.read()) is not None:
            assert np.array_equal(frame.pixels, (pictures * 4)[count])
            count += 1
    assert count < 24


def test_a_long_video_cut_short_between_frames_is_noticed(write_video, pictures, tmp_path):
    file = write_video(tmp_path / "clip.mkv", pictures * 4)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 3])
    with open_source(str(file)) as source, pytest.raises(SourceLost, match="frames were read"):
        while source.read() is not None:
            pass


def test_bytes_overwritten_in_the_middle_are_noticed(write_video, pictures, tmp_path):
    file = write_video(tmp_path / "clip.mp4", pictures * 4)
    content = bytearray(file.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = bytes(2000)
    file.write_bytes(content)
    with open_source(str(file)) as source, pytest.raises(SourceLost, match="damaged"):
        while source.read() is not None:
            pass


@pytest.mark.parametrize("content", [b"", b"not a video at all" * 100])
def test_what_is_no_video_is_one_sentence(content, tmp_path):
    pytest.importorskip("av", reason="PyAV is not installed")
    (tmp_path / "a.mkv").write_bytes(content)
    with pytest.raises(SourceError, match="cannot be opened"):
        open_source(str(tmp_path / "a.mkv"))


def test_sound_without_pictures_is_one_sentence(tmp_path):
    av = pytest.importorskip("av", reason="PyAV is not installed")
    with av.open(str(tmp_path / "a.wav"), "w") as container:
        track = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        sound.sample_rate = 8000
        container.mux(track.encode(sound))
    with pytest.raises(SourceError, match="no video"):
        open_source(str(tmp_path / "a.wav"))


def test_no_password_is_ever_told(serve, pictures):
    pytest.importorskip("av", reason="PyAV is not installed")
    for url in ("http://me:secret@127.0.0.1:9/x?pass=secret", "rtsp://me:secret@127.0.0.1:9/x",
                "http://127.0.0.1:9/user=me_password=secret", "ftp://me:secret@host/x",
                "http://me:secret@[bad/x"):  # fmt: skip
        with pytest.raises(SourceError) as caught:
            open_source(url)
        assert "secret" not in str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
    address = serve(jpegs=pictures).replace("http://", "http://me:secret@") + "?token=secret"
    with open_source(address) as source:
        assert "secret" not in source.name


@pytest.mark.parametrize("spec", ["nothing-here", "picamera2:x", "x" * 5000, "a\0b"])
def test_what_does_not_exist_is_one_sentence(spec):
    with pytest.raises(SourceError):
        open_source(spec)


def test_auto_without_a_camera_says_how_to_name_one(monkeypatch):
    monkeypatch.setattr(picamera2_source, "attached", list)
    monkeypatch.setattr(v4l2, "cameras", list)
    with pytest.raises(SourceError, match=r"no camera found .*--camera /dev/video0, video\.mp4"):
        open_source("auto")


def test_without_pyav_the_missing_module_is_named(monkeypatch, tmp_path):
    monkeypatch.delitem(sys.modules, "corrosion_edge.device.sources.av_source", raising=False)
    monkeypatch.setitem(sys.modules, "av", None)
    (tmp_path / "a.mkv").touch()
    with pytest.raises(ModuleNotFoundError) as caught:
        open_source(str(tmp_path / "a.mkv"))
    assert caught.value.name == "av"


def test_an_upright_photo_is_read_through_the_one_reader(tmp_path):
    picture = Image.fromarray(np.zeros((4, 8, 3), np.uint8))
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "a.jpg", exif=exif)
    with open_source(str(tmp_path / "a.jpg")) as source:
        frame = source.read()
    assert frame is not None
    assert frame.pixels.shape == (8, 4, 3)


def test_the_pipeline_gets_live_sources_by_their_newest_frame(serve, pictures):
    pytest.importorskip("av", reason="PyAV is not installed")
    with open_source(serve(jpegs=pictures)) as source:
        assert isinstance(source, Supervised)


@pytest.fixture
def impatient(monkeypatch):
    """Streams get half a second instead of ten."""
    pytest.importorskip("av", reason="PyAV is not installed")
    from corrosion_edge.device.sources import av_source

    monkeypatch.setattr(av_source, "OPEN_WITHIN", 0.5)
    monkeypatch.setattr(av_source, "READ_WITHIN", 0.5)


def test_an_address_that_never_answers_is_given_up(impatient):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x"
        with pytest.raises(SourceError, match="no answer"):
            open_source(url)


@pytest.mark.parametrize(("after", "sentence"), [("stall", "no answer"), ("leave", "broke off")])
def test_a_stream_that_stalls_or_leaves_is_lost(impatient, serve, pictures, after, sentence):
    source = open_source(serve(jpegs=pictures, then=after))
    with source, pytest.raises(SourceLost, match=f"^http://127.*{sentence}.*; it is lost"):
        while True:
            source.read()


@pytest.mark.parametrize(("status", "sentence"), [(401, "user and password"), (404, "404")])
def test_what_the_server_refuses_is_said(serve, status, sentence):
    pytest.importorskip("av", reason="PyAV is not installed")
    with pytest.raises(SourceError, match=sentence):
        open_source(serve(status=status))
