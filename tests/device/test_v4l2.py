"""V4L2 devices: which are cameras, and what is said of those that cannot be had."""

import ctypes
import errno
import mmap
import os
import subprocess
import sys
from pathlib import Path

import pytest

from corrosion_edge.device.sources import open_source, v4l2
from corrosion_edge.errors import SourceError

CAPTURE, OUTPUT, MEMORY_TO_MEMORY, METADATA = 0x1, 0x2, 0x8000, 0x00800000


@pytest.fixture
def kernel(monkeypatch):
    """Let the device's node be /dev/null and the kernel answer what a test says."""

    def answers(driver="uvcvideo", node=CAPTURE, everything=CAPTURE | METADATA, error=None):
        def ioctl(handle, request, buffer):
            assert request == 0x80685600  # VIDIOC_QUERYCAP, as in the kernel's headers
            if error:
                raise OSError(error, os.strerror(error))
            fields = (driver.encode(), b"card", b"bus", 0x60100, everything | 0x80000000, node)
            packed = v4l2._CAPABILITY.pack(*fields)
            assert len(packed) == len(buffer) == 104
            return packed

        monkeypatch.setattr(v4l2.fcntl, "ioctl", ioctl)

    return answers


def test_a_webcam_is_a_camera(kernel, tmp_path):
    kernel()
    assert v4l2.is_camera(tmp_path.__class__("/dev/null"))


@pytest.mark.parametrize(
    ("driver", "node"),
    [("uvcvideo", METADATA), ("bcm2835-codec", MEMORY_TO_MEMORY), ("bcm2835-isp", CAPTURE),
     ("unicam", CAPTURE), ("rp1-cfe", CAPTURE), ("v4l2 loopback", OUTPUT)],
)  # fmt: skip
def test_other_nodes_are_not(kernel, driver, node, tmp_path):
    kernel(driver, node)
    assert not v4l2.is_camera(tmp_path.__class__("/dev/null"))


def test_cameras_come_by_number(kernel, tmp_path):
    kernel()
    for name in ("video10", "video2", "video-x", "null"):
        (tmp_path / name).symlink_to("/dev/null")
    assert [path.name for path in v4l2.cameras(tmp_path)] == ["video2", "video10"]


def test_an_absent_device_is_said_to_be_absent():
    with pytest.raises(SourceError, match=r"/dev/video97: no such device; .*camera"):
        open_source("/dev/video97")


def test_a_device_that_is_no_camera_is_refused():
    with pytest.raises(SourceError, match="/dev/null: this device is no camera"):
        open_source("/dev/null")


def test_a_node_without_pictures_is_refused(kernel):
    kernel(node=METADATA)
    with pytest.raises(SourceError, match="captures no pictures"):
        open_source("/dev/null")


@pytest.mark.parametrize(
    ("number", "sentence"),
    [(errno.EACCES, "usermod -aG video"), (errno.ENODEV, "no such device"),
     (errno.EIO, r"cannot be opened \(Input/output error\)"), (errno.EBUSY, "in use by")],
)  # fmt: skip
def test_what_keeps_it_from_opening_is_said(kernel, number, sentence):
    kernel(error=number)
    with pytest.raises(SourceError, match=f"^/dev/null: .*{sentence}"):
        open_source("/dev/null")


def test_a_busy_device_names_the_process_that_holds_it(kernel, monkeypatch, tmp_path):
    av = pytest.importorskip("av", reason="PyAV is not installed")
    kernel()

    def busy(*_, **__):
        raise av.error.OSError(errno.EBUSY, "Device or resource busy", "/dev/null")

    monkeypatch.setattr(av, "open", busy)
    with pytest.raises(SourceError, match=r"/dev/null: the camera is in use by .*; end that first"):
        open_source("/dev/null")


def test_the_holder_is_found_by_its_open_file(tmp_path):
    held = tmp_path / "device"
    held.touch()
    code = "import sys; f = open(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(held)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout.readline() == "open\n"
        found = v4l2.holder([held])
        other.stdin.close()
    assert found.endswith(f"(process {other.pid})")
    assert v4l2.holder([held]) == ""


def test_the_locker_is_found_in_the_kernels_list(tmp_path):
    """As libcamera locks; that the file is open is not enough."""
    held = tmp_path / "device"
    held.touch()
    code = (
        "import fcntl, sys; f = open(sys.argv[1], 'r+'); print('open', flush=True);"
        "sys.stdin.readline(); fcntl.lockf(f, fcntl.LOCK_EX); print('locked', flush=True);"
        "sys.stdin.readline()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(held)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout.readline() == "open\n"
        assert v4l2.locker([held, tmp_path / "nothing"]) == ""
        other.stdin.write("\n")
        other.stdin.flush()
        assert other.stdout.readline() == "locked\n"
        locks = Path("/proc/locks").read_text().split()
        found = v4l2.locker([held])
        other.stdin.close()
    if str(other.pid) not in locks:
        pytest.skip("this system does not list who has locked a file")
    assert found.endswith(f"(process {other.pid})")
    assert v4l2.locker([held]) == ""


def test_who_holds_a_camera_is_named_as_far_as_permissions_allow(monkeypatch, tmp_path):
    camera = tmp_path / "video0"
    camera.touch()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert v4l2.busy("x", camera) == "x: the camera is in use by another program; end that first"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "another program (as root, its name is shown)" in v4l2.busy("x", camera)
    with camera.open():
        assert "this program itself (under another name, or by a read" in v4l2.busy("x", camera)
    with camera.open() as held:
        other = subprocess.Popen(["sleep", "60"], stdin=held)
    try:
        assert f"in use by sleep (process {other.pid})" in v4l2.busy("x", camera)
    finally:
        other.kill()
        other.wait()


def test_a_stream_that_nobody_has_cannot_be_stopped(tmp_path):
    assert not v4l2.stop_streaming(tmp_path / "video0")
    (tmp_path / "video1").touch()
    with (tmp_path / "video1").open():
        assert not v4l2.stop_streaming(tmp_path / "video1")  # it is open, but no camera


def mapped_and_closed(file):
    """As FFmpeg leaves a camera whose stream cannot be started: mapped, its handle closed."""
    library = ctypes.CDLL(None)
    library.mmap.restype = ctypes.c_void_p
    with file.open("r+b") as stream:
        at = library.mmap(None, ctypes.c_size_t(4096), mmap.PROT_READ, mmap.MAP_SHARED,
                          stream.fileno(), ctypes.c_long(0))  # fmt: skip
    assert at not in (None, ctypes.c_void_p(-1).value)
    return str(file) in Path("/proc/self/maps").read_text()


def test_buffers_that_a_failed_opening_left_are_freed_unless_the_device_is_open(tmp_path):
    file = tmp_path / "video0"
    file.write_bytes(bytes(4096))
    assert mapped_and_closed(file)
    with file.open("rb"):
        assert v4l2.free_buffers(file) == 0
    assert v4l2.free_buffers(tmp_path / "video1") == 0
    assert str(file) in Path("/proc/self/maps").read_text()
    assert v4l2.free_buffers(file) == 1
    assert str(file) not in Path("/proc/self/maps").read_text()
    assert v4l2.free_buffers(file) == 0


def test_an_opening_that_fails_frees_them(tmp_path, monkeypatch):
    av_source = pytest.importorskip("corrosion_edge.device.sources.av_source")
    file = tmp_path / "video0"
    file.write_bytes(bytes(4096))
    monkeypatch.setattr(v4l2, "require_camera", lambda path: None)
    assert mapped_and_closed(file)
    with pytest.raises(SourceError, match="cannot be opened"):
        av_source.open_device(file)
    assert str(file) not in Path("/proc/self/maps").read_text()
