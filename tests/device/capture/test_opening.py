"""What is opened under supervision, what is not, and that nothing waits for ever."""

import os
import threading

import pytest

from corrosion_edge.device.capture import Backoff, Patience, Supervised, open_camera, opening
from corrosion_edge.device.capture.opening import within
from corrosion_edge.device.sources.fake import FakeCamera
from corrosion_edge.errors import SourceError


@pytest.fixture
def quick(monkeypatch):
    """A camera is tried again after hundredths of a second."""
    made = lambda *_, **how: Supervised(*_, backoff=Backoff(0.02, 0.1), **how)  # noqa: E731
    monkeypatch.setattr(opening, "Supervised", made)


def test_an_http_camera_that_leaves_and_refuses_for_a_while_comes_back(quick, serve, pictures):
    pytest.importorskip("av", reason="PyAV is not installed")
    told = []
    address = serve(jpegs=pictures, then="leave", outage=2)
    with open_camera(address, observe=told.append) as source:
        indices = []
        while "recovered" not in [state.event for state in told]:
            indices.append(source.read().index)
        indices += [source.read().index for _ in range(3)]
    assert indices == sorted(set(indices))
    assert [state.event for state in told[:2]] == ["running", "lost"]
    assert "5XX" in told[2].reason
    assert told[2].failures == 2


def test_files_folders_and_the_demo_are_not_supervised(folder):
    for spec in ("demo", str(folder), str(folder / "0.png")):
        with open_camera(spec) as source:
            assert not isinstance(source, Supervised)
            assert not source.live


def test_a_recording_behind_an_address_is_not_supervised(write_video, pictures, serve, tmp_path):
    with open_camera(serve(file=write_video(tmp_path / "clip.mkv", pictures))) as source:
        assert not isinstance(source, Supervised)
        count = 0
        while source.read() is not None:
            count += 1
        assert count == 6


def test_what_cannot_be_opened_at_the_start_is_an_error_at_once():
    pytest.importorskip("av", reason="PyAV is not installed")
    with pytest.raises(SourceError, match=r"^http://127\.0\.0\.1:9/x\?…: cannot be opened"):
        open_camera("http://me:secret@127.0.0.1:9/x?token=secret")


def test_an_opening_that_hangs_is_an_error_and_what_comes_late_is_closed():
    gate, camera = threading.Event(), FakeCamera(["frame"])

    def slow():
        gate.wait(5)
        return camera

    with pytest.raises(SourceError, match=r"pole: no answer to its opening for 0\.02 s"):
        within(0.02, slow, "pole")
    gate.set()
    for thread in threading.enumerate():
        if thread.name == "opens pole":
            thread.join(5)
    assert camera.history == ["closed"]


def test_a_file_that_is_a_pipe_nobody_writes_to_is_an_error_in_time(tmp_path):
    pytest.importorskip("av", reason="PyAV is not installed")
    pipe = tmp_path / "clip.mp4"
    os.mkfifo(pipe)
    with pytest.raises(SourceError, match=r"clip\.mp4: no answer to its opening for 0\.1 s"):
        open_camera(str(pipe), patience=Patience(open_within=0.1))
    os.close(os.open(pipe, os.O_WRONLY))  # frees the thread that opens it


def test_a_recording_that_stops_coming_is_lost_after_hung_after(monkeypatch):
    made = FakeCamera(["frame", "hang"], live=False)
    made.is_video = True
    monkeypatch.setattr(opening, "open_directly", lambda *_: made)
    with open_camera("clip.ts", patience=Patience(hung_after=0.05)) as source:
        assert source.read().index == 0
        with pytest.raises(SourceError, match=r"no frame for 0\.05 s"):
            source.read()
        made.close()


def test_patience_reaches_the_supervision(monkeypatch):
    monkeypatch.setattr(opening, "open_directly", lambda *_: FakeCamera(["frame", "hang"]))
    patience = Patience(hung_after=0.05)
    with open_camera("/dev/video0", patience=patience, reconnect=False) as source:
        source.read()
        with pytest.raises(SourceError, match=r"no frame for 0\.05 s"):
            source.read()
