"""What is nobody's to delete: files of the user, pictures of another chain, damaged databases."""

import hashlib
import shutil
import sqlite3
from uuid import uuid4

import pytest
from happenings import Clock, happening

from corrosion_edge.device.store import Keeper, Reader, Store, opening
from corrosion_edge.device.store.aside import ASIDE
from corrosion_edge.device.store.database import DATABASE, connect
from corrosion_edge.device.store.verify import verify
from corrosion_edge.errors import StoreError, TamperError


class Warned(list[str]):
    """What keepers warned of."""

    def keep(self, folder, *kinds):
        """Store events of these kinds, as a watch does."""
        keeper = Keeper(Store(folder), now=Clock(), warn=self.append)
        for number, kind in enumerate(kinds):
            keeper.append(happening(kind, number))
        keeper.close()


@pytest.fixture
def warned():
    return Warned()


@pytest.fixture
def folder(tmp_path, warned):
    """Three events, two of them with two pictures each."""
    warned.keep(tmp_path / "store", "started", "corrosion_began", "corrosion_ended")
    assert not warned
    return tmp_path / "store"


def aside_of(folder):
    """The only place."""
    (place,) = (folder / ASIDE).iterdir()
    return place


def events(folder):
    with Reader(folder) as reader:
        return [event.fields for event in reader.events()]


def damage(folder, page=2):
    """Overwrite a page, as a bad card does."""
    with sqlite3.connect(folder / DATABASE) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    with (folder / DATABASE).open("r+b") as stream:
        stream.seek(4096 * (page - 1))
        stream.write(b"\xff" * 4096)


def test_what_no_watch_stored_stays_where_it_is(folder, warned):
    pictures = folder / "pictures"
    (pictures / "of mine").mkdir()
    (pictures / f"{uuid4()}-plain.jpg").mkdir()
    for name in ("1.jpg", "0000-plain.jpg", f"{uuid4()}.jpg", ".hidden"):
        (pictures / name).write_bytes(b"mine")
    before = sorted(pictures.iterdir())
    warned.keep(folder, "started")
    assert sorted(pictures.iterdir()) == before
    assert verify(folder).pictures == 4
    assert not (folder / ASIDE).exists()
    assert not warned


def test_a_folder_of_photos_becomes_no_store(tmp_path):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(3):
        (pictures / f"{number}.jpg").write_bytes(b"mine")
    with pytest.raises(StoreError, match=r"pictures holds what no watch stored \(0.jpg and 2 more"):
        Store(tmp_path)
    assert len(list(tmp_path.rglob("*"))) == 4


def test_pictures_outlive_the_loss_of_their_database(folder, warned):
    before = {file.name: file.read_bytes() for file in (folder / "pictures").iterdir()}
    (folder / DATABASE).unlink()
    warned.keep(folder, "started")
    place = aside_of(folder)
    assert {f.name: f.read_bytes() for f in (place / "pictures").iterdir()} == before
    first = events(folder)[0]
    assert (first["kind"], first["details"]["pictures"]) == ("store_set_aside", 4)
    assert first["details"]["place"] == place.name
    assert "pictures that no event names (4) were set aside" in warned[0]
    assert verify(folder).events == 2


def test_pictures_outlive_an_older_copy_of_their_database(folder, warned, tmp_path):
    shutil.copy(folder / DATABASE, tmp_path / "older")
    warned.keep(folder, "corrosion_began")
    newer = {file.name for file in (folder / "pictures").iterdir()}
    shutil.copy(tmp_path / "older", folder / DATABASE)
    warned.keep(folder, "started")
    assert {file.name for file in (aside_of(folder) / "pictures").iterdir()} < newer
    told = events(folder)
    assert [one["kind"] for one in told[3:]] == ["store_set_aside", "started"]
    assert told[3]["details"]["pictures"] == 2
    assert verify(folder).pictures == 4


def test_what_was_set_aside_is_told_once_though_the_first_try_fails(folder, warned):
    (folder / DATABASE).unlink()
    Store(folder).close()  # killed before it could tell
    warned.keep(folder, "started")
    warned.keep(folder, "started")
    assert [one["kind"] for one in events(folder)] == ["store_set_aside", "started", "started"]
    assert len(warned) == 1


def test_pictures_that_cannot_be_set_aside_stay(folder, warned):
    (folder / DATABASE).unlink()
    (folder / ASIDE).write_bytes(b"in the way")
    warned.keep(folder, "started")
    assert len(list((folder / "pictures").iterdir())) == 4
    assert "cannot be made" in warned[0]
    assert verify(folder).events == 1


@pytest.mark.parametrize("page", [1, 2, 3])
def test_a_damaged_database_is_set_aside_and_the_new_chain_says_so(folder, warned, page):
    head = verify(folder).head
    old = {file.name: file.read_bytes() for file in (folder / "pictures").iterdir()}
    damage(folder, page)
    with pytest.raises(StoreError, match=r"damaged.*the next watch sets it aside.*\.recover"):
        verify(folder)
    warned.keep(folder, "started", "corrosion_began")
    place = aside_of(folder)
    assert {f.name: f.read_bytes() for f in (place / "pictures").iterdir()} == old
    digest = hashlib.sha256((place / DATABASE).read_bytes()).hexdigest()
    first = events(folder)[0]
    assert first["kind"] == "store_set_aside"
    assert first["details"]["files"] == {DATABASE: digest}
    readable = page == 3  # the page of the pictures: the events' own are whole
    assert (first["details"]["events"], first["details"]["head"]) == (
        (3, head) if readable else (None, None)
    )
    assert warned == [f"{folder}: {first['reason']}"]
    assert place.name in first["reason"]
    assert verify(folder).events == 3


def test_a_database_that_is_locked_is_not_set_aside(folder, monkeypatch):
    monkeypatch.setattr(opening, "connect", lambda path, seconds: connect(path, seconds=0))
    with sqlite3.connect(folder / DATABASE) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="locked"):
            Store(folder)
    other.close()
    assert not (folder / ASIDE).exists()


def test_the_noted_head_of_a_chain_that_was_set_aside_is_recognised(folder, warned):
    head = verify(folder).head
    damage(folder, 3)
    warned.keep(folder, "started")
    place = aside_of(folder).name
    with pytest.raises(TamperError, match=f"is that of the chain that was set aside in .*{place}"):
        verify(folder, head)
    assert [one["place"] for one in verify(folder).aside] == [place]


def test_without_its_tables_a_store_is_one_sentence(folder):
    with sqlite3.connect(folder / DATABASE) as database:
        database.execute("DROP TABLE summaries")
    database.close()
    with Reader(folder) as reader, pytest.raises(StoreError, match="no such table: summaries"):
        list(reader.summaries())
    with pytest.raises(StoreError, match="no such table: summaries"):
        Store(folder)
    assert not (folder / ASIDE).exists()
