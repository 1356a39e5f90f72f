"""Options of a store that cannot be are one sentence, and nothing is touched."""

import os
import sqlite3

import pytest
from click.testing import CliRunner

from corrosion_edge.cli import cli
from corrosion_edge.device.backends.fake import FakeBackend
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.device.store import Reader, Store
from corrosion_edge.device.store.database import DATABASE
from corrosion_edge.device.store.head import HeadFile
from corrosion_edge.errors import UsageError


def watch(*words):
    return CliRunner().invoke(cli, ["watch", "--frames", "1", *map(str, words)])


@pytest.fixture
def classifiers(bundle, monkeypatch):
    """Each watch opens a new one."""
    monkeypatch.setattr(Classifier, "open", lambda *_, **__: Classifier(bundle, FakeBackend()))


@pytest.fixture
def stored(tmp_path, classifiers):
    """A store of one watch with a head file beside it."""
    done = watch("--camera", "demo", "--store", tmp_path / "s", "--head-file", tmp_path / "head")
    assert done.exit_code == 0, done.output
    return tmp_path


def refused(result):
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    return result.stderr.splitlines()[-1]


@pytest.mark.parametrize("follow", [["--follow"], []])
@pytest.mark.parametrize("store", [".", "inside", "../photos"])
def test_a_store_inside_the_watched_folder_is_refused(folder, classifiers, store, follow):
    before = sorted(folder.rglob("*"))
    told = refused(watch("--camera", folder, *follow, "--store", folder / store))
    assert told.startswith(f"Error: --store {folder / store}: its pictures would lie inside")
    assert sorted(folder.rglob("*")) == before


def test_a_watched_folder_beside_the_store_or_inside_it_is_fine(folder, classifiers, tmp_path):
    assert watch("--camera", folder, "--store", tmp_path / "s").exit_code == 0
    assert watch("--camera", folder, "--store", tmp_path).exit_code == 0


def test_pictures_of_the_user_are_no_store(folder, classifiers, tmp_path):
    folder.rename(tmp_path / "pictures")
    before = sorted(tmp_path.rglob("*"))
    done = watch("--camera", tmp_path / "pictures", "--store", tmp_path)
    assert "inside the watched folder" in refused(done)
    done = watch("--camera", "demo", "--store", tmp_path)
    assert (done.exit_code, "holds what no watch stored" in done.stderr) == (1, True)
    assert sorted(tmp_path.rglob("*")) == before


def test_the_demo_is_no_folder_of_that_name(classifiers, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        done = watch("--camera", "demo", "--store", "demo")
        assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("notes.txt", b"mine", "is no head file"),
        ("long", b"1 " + b"a" * 64 + b" and more of it" * 9, "is no head file"),
        ("binary", b"\xff\xfe", "is no head file"),
        ("s/head", None, "lies inside the store"),
        (f"s/{DATABASE}", None, "lies inside the store"),
        ("nowhere/head", None, "there is no folder"),
        (".", None, "is no head file"),
        ("pipe", None, "is no head file"),
    ],
)  # fmt: skip
def test_a_head_file_overwrites_only_a_head(stored, name, content, told):
    file = stored / name
    if content is not None:
        file.write_bytes(content)
    if name == "pipe":
        os.mkfifo(file)
    before = sorted(stored.rglob("*"))
    line = refused(watch("--camera", "demo", "--store", stored / "s", "--head-file", file))
    assert line.startswith(f"Error: --head-file {file}: ")
    assert told in line
    assert sorted(stored.rglob("*")) == before
    if content is not None:
        assert file.read_bytes() == content


def test_a_head_file_may_be_empty_and_goes_on(stored):
    (stored / "empty").touch()
    assert (
        watch(
            "--camera", "demo", "--store", stored / "s", "--head-file", stored / "empty"
        ).exit_code
        == 0
    )
    done = watch("--camera", "demo", "--store", stored / "s", "--head-file", stored / "head")
    assert (done.exit_code, "warning: the head" in done.stderr) == (0, False)
    with Reader(stored / "s") as reader:
        (newest,) = reader.newest(1)
    assert (stored / "head").read_text() == f"{newest.sequence} {newest.hash}\n"


def test_a_head_that_the_store_does_not_have_is_kept(stored):
    noted = (stored / "head").read_text()
    with sqlite3.connect(stored / "s" / DATABASE) as database:
        database.execute("DELETE FROM pictures")
        database.execute("DELETE FROM events WHERE sequence > 1")
    database.close()
    done = watch("--camera", "demo", "--store", stored / "s", "--head-file", stored / "head")
    assert done.exit_code == 0, done.output
    (kept,) = stored.glob("head.*")
    assert kept.read_text() == noted
    assert f"the head noted in {stored / 'head'} is not in this store" in done.stderr
    assert f"that head is kept in {kept}" in done.stderr


def test_a_folder_that_cannot_be_written_is_no_place_for_a_head(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(UsageError, match="cannot be written"):
        HeadFile(tmp_path / "head", tmp_path / "s")


def test_a_limit_that_the_disk_cannot_hold_is_said_at_the_start(stored, monkeypatch):
    words = ["--camera", "demo", "--store", stored / "s", "--keep-mb", "70"]
    assert "--keep-mb" not in watch(*words).stderr
    monkeypatch.setattr(Store, "free", lambda self: 60_000_000)
    assert "warning: --keep-mb 70: the disk has room for a store of 60 MB" in watch(*words).stderr


def test_a_damaged_store_is_set_aside_by_the_command(stored):
    with (stored / "s" / DATABASE).open("r+b") as stream:
        stream.seek(4096)
        stream.write(b"\xff" * 4096)
    done = watch("--camera", "demo", "--store", stored / "s", "--head-file", stored / "head")
    assert done.exit_code == 0, done.output
    assert "another chain was damaged and set aside in set-aside/" in done.stderr
    assert f"the head noted in {stored / 'head'} is not in this store" in done.stderr
