"""The copy of the last accepted model file."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from happenings import happening

from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.store import Retention, Store
from corrosion_edge.device.store.last_good import FOLDER, LastGood
from corrosion_edge.device.store.store import Entry
from corrosion_edge.errors import BundleError

FILE = Path("/there/model.tflite")


@pytest.fixture
def told():
    return []


@pytest.fixture
def kept(tmp_path, told):
    made = LastGood(tmp_path, FILE, told.append)
    made.begin()
    return made


def again(tmp_path, file=FILE):
    return LastGood(tmp_path, file, print)


def test_what_was_accepted_is_found_again_under_the_same_path(kept, tmp_path):
    assert kept.find() is None and not kept.is_kept
    kept.accept(b"one")
    assert again(tmp_path).find() == b"one"
    assert again(tmp_path).is_kept
    assert again(tmp_path, FILE.with_name("other.tflite")).find() is None
    assert not again(tmp_path, FILE.with_name("other.tflite")).is_kept
    kept.prepare(b"two")
    assert again(tmp_path).find() == b"one"
    kept.accept(b"two")
    assert again(tmp_path).find() == b"two"
    assert len(list((tmp_path / FOLDER).iterdir())) == 2


def test_each_content_is_written_once(kept, tmp_path):
    kept.prepare(b"one")
    kept.accept(b"one")
    before = {file: file.stat().st_ino for file in (tmp_path / FOLDER).iterdir()}
    kept.accept(b"one")
    later = again(tmp_path)
    later.begin()
    later.accept(b"one")
    assert {file: file.stat().st_ino for file in (tmp_path / FOLDER).iterdir()} == before


def test_nothing_is_written_before_the_store_is_this_process(tmp_path):
    kept = again(tmp_path)
    kept.prepare(b"one")
    kept.accept(b"one")
    assert list(tmp_path.iterdir()) == []


def test_a_candidate_that_nobody_took_goes(kept, tmp_path):
    kept.accept(b"one")
    for content in (b"two", b"three"):
        kept.prepare(content)
        assert len(list((tmp_path / FOLDER).iterdir())) == 3
    kept.accept(b"two")
    kept.accept(b"three")
    assert kept.find() == b"three"
    assert len(list((tmp_path / FOLDER).iterdir())) == 2


@pytest.mark.parametrize("index", [b"", b"[]", b'{"path": 1}', b"\xff", b"{"])
def test_an_index_that_nobody_can_read_is_none(kept, tmp_path, index):
    kept.accept(b"one")
    (tmp_path / FOLDER / "accepted.json").write_bytes(index)
    assert again(tmp_path).find() is None
    kept.accept(b"two")
    assert again(tmp_path).find() == b"two"


def test_a_copy_that_was_damaged_is_no_copy_and_is_written_anew(kept, tmp_path):
    kept.accept(b"one")
    (copy,) = (tmp_path / FOLDER).glob("*.tflite")
    copy.write_bytes(b"two")
    with pytest.raises(BundleError, match="damaged"):
        again(tmp_path).find()
    later = again(tmp_path)
    later.begin()
    later.accept(b"one")
    assert again(tmp_path).find() == b"one"
    copy.unlink()
    with pytest.raises(BundleError, match="no such model file"):
        again(tmp_path).find()


def test_a_full_disk_is_told_and_the_old_copy_stays(small_disk, told):
    kept = LastGood(small_disk, FILE, told.append)
    kept.begin()
    kept.accept(b"small")
    kept.prepare(b"x" * 500_000)
    assert told == []
    kept.accept(b"x" * 500_000)
    assert "could not be kept" in told[0] and "No space left" in told[0]
    assert kept.find() == b"small"


def test_names_are_durable_before_the_index_names_them(kept, monkeypatch, tmp_path):
    synced = []
    fsync = os.fsync

    def noted(handle):
        synced.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    kept.accept(b"one")
    kinds = ["index" if "accepted" in name else "content" if ".tflite" in name else name
             for name in synced]  # fmt: skip
    assert kinds == [tmp_path.name, "content", FOLDER, "index", FOLDER]


def test_a_kill_at_any_moment_leaves_the_old_or_the_new_one(tmp_path):
    program = Path(__file__).with_name("killing_copies.py")
    words = [sys.executable, program, tmp_path / "stores"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(words, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    with_old, first = map(int, done.stdout.split())
    assert with_old > 5 and first > 5


def test_it_counts_for_the_stores_limit_and_is_never_removed(kept, tmp_path):
    with Store(tmp_path) as store:
        fields = happening("corrosion_began", 1).to_dict()
        store.append(Entry(fields, {"plain": b"x" * 400_000}))
        limit = Retention(megabytes=1)
        assert limit.apply(store, Stamp.now()) is None
        kept.accept(b"x" * 600_000)
        assert limit.apply(store, Stamp.now()) is not None
        assert store.kept_pictures() == []
    assert len(kept.find()) == 600_000


def test_a_copy_that_goes_while_the_store_is_measured_is_no_error(tmp_path, monkeypatch):
    with Store(tmp_path) as store:
        before = store.size()
        (tmp_path / FOLDER).mkdir()
        (tmp_path / FOLDER / "going").symlink_to(tmp_path / "gone")
        monkeypatch.setattr(Path, "exists", lambda file: True)  # it was, a moment ago
        assert store.size() == before
