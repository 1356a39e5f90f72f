"""What is stored is there, in order, whole; and nobody changes it unseen."""

import hashlib
import shutil
import sqlite3
from dataclasses import replace
from uuid import uuid4

import pytest
from happenings import happening, scene, summary
from hypothesis import given, settings
from hypothesis import strategies as st

from corrosion_edge.device.store import Reader, Store
from corrosion_edge.device.store.chain import GENESIS
from corrosion_edge.device.store.pictures import jpegs
from corrosion_edge.device.store.schema import MIGRATIONS, VERSION
from corrosion_edge.device.store.store import DATABASE, Entry
from corrosion_edge.device.store.verify import verify
from corrosion_edge.errors import NewerStoreError, OutputError, StoreError, TamperError, UsageError


def entry(kind="corrosion_began", seconds=0.0, **how):
    what = happening(kind, seconds, **how)
    return Entry(what.to_dict(), jpegs(what.scene))


@pytest.fixture
def filled(tmp_path):
    """Six events, four of them with two pictures each."""
    folder = tmp_path / "store"
    with Store(folder) as store:
        store.append(entry("started"))
        for number in range(2):
            store.append(entry("corrosion_began", 20 * number + 1))
            store.append(entry("corrosion_ended", 20 * number + 9))
        store.append(entry("stopped", 50))
    return folder


def change(folder, *statements):
    database = sqlite3.connect(folder / DATABASE)
    for statement in statements:
        database.execute(statement)
    database.commit()
    database.close()


def test_events_come_back_in_order_with_their_pictures(filled):
    with Reader(filled) as reader:
        events = list(reader.events())
    assert [event.sequence for event in events] == [1, 2, 3, 4, 5, 6]
    assert [event.fields["kind"] for event in events][::5] == ["started", "stopped"]
    for event in events[1:5]:
        assert set(event.pictures) == {"plain", "map"}
        for picture in event.pictures.values():
            assert picture.path.read_bytes().startswith(b"\xff\xd8")
    found = verify(filled)
    assert (found.events, found.pictures, found.removed) == (6, 8, 0)
    assert found.head == events[-1].hash


def test_the_hash_can_be_checked_with_any_sha256(filled):
    with Reader(filled) as reader:
        first, second = list(reader.events())[:2]
    assert hashlib.sha256(f"{GENESIS}\n{first.body}\n\n\n".encode()).hexdigest() == first.hash
    digests = [hashlib.sha256(second.pictures[r].path.read_bytes()).hexdigest()
               for r in ("plain", "map")]  # fmt: skip
    text = "\n".join([first.hash, second.body, *digests, ""])
    assert hashlib.sha256(text.encode()).hexdigest() == second.hash


def test_a_store_goes_on_where_it_ended(filled):
    head = verify(filled).head
    with Store(filled) as store:
        assert store.head == (6, head)
        assert store.append(entry("started", 60)).sequence == 7
    assert verify(filled, expected=head).events == 7


def _turned(column):
    """Other digits, whatever they were: a letter need not be among them."""
    return f"{column} = substr({column}, 2) || substr({column}, 1, 1)"


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("UPDATE events SET body = replace(body, '0.9', '0.1') WHERE sequence = 3", "event 3"),
        (f"UPDATE events SET {_turned('hash')} WHERE sequence = 2", "event 2"),
        ("DELETE FROM events WHERE sequence = 3", "event 4: number 3 should be here"),
        ("DELETE FROM events WHERE sequence = 1", "event 2: number 1 should be here"),
        (f"UPDATE pictures SET {_turned('digest')} WHERE sequence = 4", "event 4"),
        ("DELETE FROM pictures WHERE sequence = 4", "event 4"),
        ("UPDATE pictures SET removed = 'x' WHERE sequence = 5", "event 5.*no removal is recorded"),
        ("INSERT INTO events SELECT 7, body, hash FROM events WHERE sequence = 6", "event 7"),
        ("UPDATE events SET body = replace(body, '\"frames\":6', '\"frames\": 6')", "event 2"),
    ],
)
def test_a_changed_row_is_named(filled, statement, where):
    change(filled, statement)
    with pytest.raises(TamperError, match=where):
        verify(filled)


def test_a_text_that_is_no_event_is_named(filled):
    database = sqlite3.connect(filled / DATABASE)
    database.execute("UPDATE events SET body = '{\"a\": 1}' WHERE sequence = 2")
    database.commit()
    database.close()
    with pytest.raises(TamperError, match="event 2"):
        verify(filled)


def test_rows_that_were_swapped_are_named(filled):
    change(
        filled,
        "CREATE TEMP TABLE t AS SELECT sequence AS s, body AS b, hash AS h FROM events",
        "UPDATE events SET (body, hash) = (SELECT b, h FROM t WHERE s = 5 - sequence) "
        "WHERE sequence IN (2, 3)",
    )
    with pytest.raises(TamperError, match="event 2: its text is that of event 3"):
        verify(filled)


def test_a_row_that_was_rewritten_with_its_hash_is_seen_at_the_next(filled):
    with Reader(filled) as reader:
        events = list(reader.events())
    body = events[0].body.replace("started", "stopped")
    hashed = hashlib.sha256(f"{GENESIS}\n{body}\n\n\n".encode()).hexdigest()
    change(filled, f"UPDATE events SET body = '{body}', hash = '{hashed}' WHERE sequence = 1")
    with pytest.raises(TamperError, match="event 2"):
        verify(filled)


def test_changed_and_missing_pictures_are_named(filled):
    with Reader(filled) as reader:
        file = reader.event("4").pictures["map"].path
    content = file.read_bytes()
    file.write_bytes(content[:-1] + b"x")
    with pytest.raises(TamperError, match=f"event 4: its picture {file.name} was changed"):
        verify(filled)
    file.unlink()
    with pytest.raises(TamperError, match=f"event 4: its picture {file.name} is missing"):
        verify(filled)


def test_a_cut_end_is_seen_only_with_a_noted_head(filled):
    head = verify(filled).head
    change(filled, "DELETE FROM pictures WHERE sequence > 4",
           "DELETE FROM events WHERE sequence > 4")  # fmt: skip
    assert verify(filled).events == 4
    with pytest.raises(TamperError, match="cut off"):
        verify(filled, expected=head)


def test_half_a_picture_of_a_crash_is_swept_and_a_missing_one_stays_missing(filled):
    with Reader(filled) as reader:
        kept = reader.event("2").pictures["plain"].path
    (filled / "pictures" / f".{uuid4()}-map.jpg.x7_abcde").write_bytes(b"half")
    kept.unlink()
    with Store(filled) as store:
        assert store.swept == 1
    assert len(list((filled / "pictures").iterdir())) == 7
    with pytest.raises(TamperError, match=r"event 2.*missing"):
        verify(filled)


def test_a_damaged_row_keeps_no_watch_from_starting_and_costs_no_picture(filled):
    change(filled, "UPDATE events SET body = substr(body, 2) WHERE sequence = 3")
    before = sorted((filled / "pictures").iterdir())
    with Store(filled) as store:
        assert store.swept == 0
        assert store.unfinished() == []
        store.append(entry("started", 90))
    assert sorted((filled / "pictures").iterdir()) == before
    with pytest.raises(TamperError, match="event 3"):
        verify(filled)
    with Reader(filled) as reader:
        assert [event.fields["kind"] for event in reader.events()][2] == "damaged"


def test_two_writers_are_refused(filled):
    with Store(filled), pytest.raises(StoreError, match="another process"):
        Store(filled)


def test_a_version_1_file_is_brought_up_and_keeps_its_chain(tmp_path, filled):
    old = tmp_path / "old"
    shutil.copytree(filled, old)
    change(old, "DROP TABLE summaries", "DROP TABLE taken", "PRAGMA user_version = 1")
    with Reader(old) as reader:
        assert list(reader.summaries()) == []
    assert verify(old).events == 6
    with Store(old) as store:
        store.summarise([summary()])
        store.append(entry("started", 70))
    with Reader(old) as reader:
        assert [row.mean for row in reader.summaries()] == [0.3]
    assert verify(old).events == 7
    assert sqlite3.connect(old / DATABASE).execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_a_file_made_by_the_first_migration_alone_opens(tmp_path):
    (tmp_path / "pictures").mkdir()
    database = sqlite3.connect(tmp_path / DATABASE)
    database.executescript(f"{MIGRATIONS[0]} PRAGMA user_version = 1;")
    database.close()
    with Store(tmp_path) as store:
        assert store.append(entry()).sequence == 1
    assert verify(tmp_path).events == 1


def test_a_version_4_file_keeps_its_minutes_which_do_not_tell_what_they_are_of(filled):
    with Store(filled) as store:
        store.summarise([summary()])
    change(filled, "ALTER TABLE summaries DROP COLUMN asset",
           "ALTER TABLE summaries DROP COLUMN position", "PRAGMA user_version = 4")  # fmt: skip
    head = verify(filled).head
    with Reader(filled) as reader:
        assert [row.asset for row in reader.summaries()] == [None]
    with Store(filled) as store:
        store.summarise([replace(summary(60), asset="Tank 7", position="pier 3")])
    with Reader(filled) as reader:
        told = [(row.mean, row.asset, row.position) for row in reader.summaries()]
    assert told == [(0.3, None, None), (0.3, "Tank 7", "pier 3")]
    assert verify(filled).head == head


def test_a_newer_file_and_a_damaged_one_are_refused(filled, tmp_path):
    change(filled, "PRAGMA user_version = 99")
    for opening in (Store, Reader):
        with pytest.raises(NewerStoreError, match="update corrosion-edge") as error:
            opening(filled)
        assert error.value.exit_code == 2
    (filled / DATABASE).write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match="database"):
        Reader(filled)
    with pytest.raises(StoreError, match="no event store"):
        Reader(tmp_path)


def test_reading_while_a_watch_writes_and_from_a_read_only_copy(tmp_path):
    with Store(tmp_path / "a") as store:
        store.append(entry())
        assert verify(tmp_path / "a").events == 1
        store.append(entry("corrosion_ended", 8))
        assert verify(tmp_path / "a").events == 2
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "a").rglob("*") if p.is_file()}
    verify(tmp_path / "a")
    assert before.items() <= {p: p.stat().st_mtime_ns for p in before}.items()


def test_an_event_is_found_by_number_and_uuid(filled):
    with Reader(filled) as reader:
        event = reader.event("3")
        assert reader.event(event.fields["uuid"][:13]).sequence == 3
        for wrong in ("99", "", "zzz"):
            with pytest.raises(UsageError):
                reader.event(wrong)


def test_pictures_are_reduced_and_show_the_map():
    made = jpegs(scene(size=(960, 2560)))
    assert made["plain"] != made["map"]
    from io import BytesIO

    from PIL import Image

    assert {Image.open(BytesIO(data)).size for data in made.values()} == {(1280, 480)}
    assert jpegs(None) == {}


def test_a_failed_write_leaves_the_store_as_it_was(tmp_path, monkeypatch):
    with Store(tmp_path) as store:
        store.append(entry())
        failing = entry("corrosion_ended", 9)
        bad = Entry({**failing.fields, "uuid": None}, failing.pictures)
        with pytest.raises(OutputError):
            monkeypatch.setattr("corrosion_edge.output.os.fsync", _full)
            store.append(bad)
        monkeypatch.undo()
        assert len(list((tmp_path / "pictures").iterdir())) == 2
        assert store.append(failing).sequence == 2
    assert verify(tmp_path).pictures == 4


def _full(handle):
    raise OSError(28, "No space left on device")


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chain") / "store"
    with Store(folder) as store:
        for number in range(4):
            store.append(entry(("corrosion_began", "corrosion_ended")[number % 2], number))
    return folder


@settings(deadline=None, max_examples=60)
@given(number=st.integers(1, 4), place=st.integers(0), letter=st.characters(codec="ascii"))
def test_any_letter_of_any_event_that_changes_is_seen_there(untouched, number, place, letter):
    database = sqlite3.connect(untouched / DATABASE, isolation_level=None)
    (body,) = database.execute("SELECT body FROM events WHERE sequence = ?", (number,)).fetchone()
    place %= len(body)
    changed = body[:place] + letter + body[place + 1 :]
    try:
        database.execute("UPDATE events SET body = ? WHERE sequence = ?", (changed, number))
        if changed == body:
            verify(untouched)
        else:
            with pytest.raises(TamperError, match=f"event {number}: "):
                verify(untouched)
    finally:
        database.execute("UPDATE events SET body = ? WHERE sequence = ?", (body, number))
        database.close()


@settings(deadline=None, max_examples=40)
@given(which=st.integers(0, 7), place=st.integers(0), bit=st.integers(0, 7))
def test_any_bit_of_any_picture_that_changes_is_seen(untouched, which, place, bit):
    file = sorted((untouched / "pictures").iterdir())[which]
    content = file.read_bytes()
    changed = bytearray(content)
    changed[place % len(content)] ^= 1 << bit
    try:
        file.write_bytes(changed)
        with pytest.raises(TamperError, match=f"its picture {file.name} was changed"):
            verify(untouched)
    finally:
        file.write_bytes(content)
