import os
import resource
import signal
import stat
from pathlib import Path

import pytest

from corrosion_edge import output
from corrosion_edge.errors import OutputError


def test_write_replaces_the_whole_file(tmp_path):
    path = tmp_path / "x.bin"
    output.write(path, b"old")
    output.write(path, "new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_gets_the_usual_permissions(tmp_path):
    old = os.umask(0o027)
    try:
        output.write(tmp_path / "x", b"1")
    finally:
        os.umask(old)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("place", ["missing/x", "file/x"])
def test_where_nothing_can_be_written_the_error_names_the_file(tmp_path, place):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot be written"):
        output.write(tmp_path / place, b"1")


def test_a_file_size_limit_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "model"
    output.write(path, b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OutputError, match="model: cannot be written"):
            output.write(path, b"n" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_nothing_half_written(small_disk):
    with pytest.raises(OutputError, match="No space left"):
        output.write(small_disk / "model.tflite", os.urandom(2_000_000))
    assert list(small_disk.iterdir()) == []


def test_a_new_folder_appears_whole_or_not_at_all(tmp_path):
    out = tmp_path / "run"
    with pytest.raises(RuntimeError), output.new_folder(out) as folder:
        (folder / "part").write_bytes(b"1")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with output.new_folder(out) as folder:
        (folder / "part").write_bytes(b"1")
        assert not out.exists()
    assert [p.name for p in out.iterdir()] == ["part"]
    assert list(tmp_path.iterdir()) == [out]


def test_what_was_recorded_is_not_overwritten(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.json").write_text("{}")
    with pytest.raises(OutputError, match="exists already"), output.new_folder(tmp_path / "run"):
        pytest.fail("the block must not run")
    assert (tmp_path / "run" / "metrics.json").read_text() == "{}"


def test_a_full_disk_while_writing_a_folder(small_disk):
    with (
        pytest.raises(OutputError, match="No space left"),
        output.new_folder(small_disk / "run") as folder,
    ):
        (folder / "model").write_bytes(os.urandom(2_000_000))
    assert list(small_disk.iterdir()) == []


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="file"):
        output.require_writable(Path(tmp_path / "file" / "below"))


def test_json_has_no_nan():
    with pytest.raises(ValueError):
        output.json_text({"x": float("nan")})


def test_a_device_is_written_and_not_replaced(tmp_path):
    device = tmp_path / "full"
    try:
        os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 7))  # what /dev/full is
        device.open("wb").close()
    except PermissionError:
        pytest.skip("only root may make a device, on a disk that has them")
    with pytest.raises(OutputError, match="full: cannot be written"):
        output.write(device, "x")
    assert stat.S_ISCHR(device.stat().st_mode)


def test_a_pipe_is_written_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        output.write(pipe, "x")
        assert os.read(reader, 9) == b"x"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_standard_outputs_name_is_one_too(tmp_path):
    assert output.is_device(Path("/dev/stdout")) is Path("/dev/stdout").exists()
    assert output.is_device(Path("/dev/null"))
    assert not output.is_device(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    assert not any(output.is_device(tmp_path / name) for name in ("file", "link", "nothing"))
