"""What ``--camera`` names: misspelled sources, one device under two names, links to devices."""

from pathlib import Path

import commands
import pytest

from corrosion_edge.device.sources import Wish, is_live_kind, open_directly, require_distinct
from corrosion_edge.device.sources.spec import is_device, is_folder, require_known
from corrosion_edge.errors import NoSuchSource, SourceError


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [("picamera2:1000", r"^picamera2:1000: expected picamera2 or picamera2:N, N being 0 to 999$"),
     ("picamera2:", "expected picamera2 or picamera2:N"), ("picamera2:-1", "N being 0 to 999"),
     ("=demo", "^=…: no name stands before =; write NAME=SOURCE"),
     ("=/dev/video0", "no name stands before ="),
     ("north pier=demo", "'north pier' is no name for a camera; write NAME=SOURCE, the name with"),
     ("ü=rtsp://me:secret@host/x", "^ü=…: 'ü' is no name for a camera"),
     ("ftp://host/x?a=b", "only rtsp, rtsps, http and https")],
)  # fmt: skip
def test_a_misspelled_source_is_no_missing_file(spec, sentence):
    with pytest.raises(NoSuchSource, match=sentence):
        require_known(spec)
    with pytest.raises(NoSuchSource, match=sentence) as refused:
        open_directly(spec)
    assert "secret" not in str(refused.value)


def test_a_file_that_is_called_like_one_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("picamera2:1000", "a b=c.mp4"):
        Path(name).touch()
        require_known(name)


@pytest.mark.parametrize(
    "spec", ["rtsp://host/x?token=a=b", "auto", "picamera2", "picamera2:12", "photos/a=b", "demo"]
)
def test_what_is_well_spelled_passes(spec):
    require_known(spec)


@pytest.fixture
def link(tmp_path):
    made = tmp_path / "cam"
    made.symlink_to("/dev/video97")
    return made


@pytest.mark.parametrize(
    ("one", "other"),
    [("picamera2", "picamera2:0"), ("picamera2:1", "picamera2:01"), ("auto", "auto"),
     ("/dev/video97", "/dev/../dev/video97"), ("LINK", "/dev/video97")],
)  # fmt: skip
def test_one_device_under_two_names_is_refused_before_the_start(one, other, link):
    one = str(link) if one == "LINK" else one
    words = ["--camera", f"gate={one}", "--camera", "pole=rtsp://h/x", "--camera", f"yard={other}"]
    result = commands.run("watch", *words)
    assert result.exit_code == 2
    expected = f"--camera yard={other}: the same camera as gate={one}; name each camera once"
    assert result.stderr.splitlines()[-1] == f"Error: {expected}"


def test_what_may_be_read_twice_or_is_another_is_not(link):
    require_distinct({"a": "rtsp://h/x", "b": "rtsp://h/x", "c": "clip.mp4", "d": "clip.mp4"})
    require_distinct({"a": "picamera2:0", "b": "picamera2:1", "c": "auto", "d": str(link)})


def test_a_link_to_a_device_is_that_device_also_while_it_is_unplugged(link):
    assert is_live_kind(str(link))
    with pytest.raises(SourceError, match=f"^{link}: no such device"):
        open_directly(str(link))


def test_a_link_to_a_file_that_lies_in_memory_is_a_file(tmp_path):
    link = tmp_path / "photos"
    link.symlink_to("/dev/shm")
    assert not is_device(link)


def test_a_linked_camera_is_read_as_a_device(monkeypatch, write_video, pictures, tmp_path):
    pytest.importorskip("av", reason="PyAV is not installed")
    from corrosion_edge.device.sources import av_source, v4l2

    clip = write_video(tmp_path / "clip.mkv", pictures)
    opened, freed = av_source._opened, []
    (tmp_path / "cam").symlink_to("/dev/null")
    monkeypatch.setattr(v4l2, "require_camera", lambda path: None)
    monkeypatch.setattr(v4l2, "stop_streaming", lambda path: freed.append(path) or True)
    monkeypatch.setattr(av_source, "_opened", lambda *_, **__: opened(str(clip), "clip"))
    with open_directly(str(tmp_path / "cam"), Wish(None, 10.0)) as source:
        assert source.live
        assert source.read() is not None
        assert source.period > 0
        assert source.interrupt()
    assert freed == [tmp_path / "cam"]


def test_a_folder_is_one_that_is_there_and_no_word_for_something_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("photos", "demo", "auto"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").touch()
    assert is_folder("photos")
    assert is_folder("./demo")
    others = ("demo", "auto", "file", "nothing", "/dev", "rtsp://x/photos", "x" * 5000, "a\0b")
    assert not any(map(is_folder, others))
