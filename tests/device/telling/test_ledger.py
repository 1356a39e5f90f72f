import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from corrosion_edge.device.telling.ledger import DELIVERIES, Ledger, Place, SetAside
from corrosion_edge.errors import OutputError

FIRST, SECOND = Place(1, "u-1", "h-1"), Place(2, "u-2", "h-2")


def test_each_consumer_has_its_own_place(tmp_path):
    with Ledger(tmp_path) as ledger:
        assert ledger.place("mqtt") is None
        ledger.note("mqtt", FIRST)
        ledger.note("mqtt", SECOND)
        ledger.note("webhook", FIRST)
    with Ledger(tmp_path) as ledger:
        assert ledger.consumers() == {"mqtt": SECOND, "webhook": FIRST}
        assert ledger.place("mqtt") == SECOND


def test_what_is_set_aside_is_kept_with_its_reason(tmp_path):
    with Ledger(tmp_path) as ledger:
        ledger.note("webhook", SECOND, [SetAside(FIRST, "400"), SetAside(SECOND, "422")])
        kept = ledger.set_aside("webhook")
        assert [(each.place, each.reason) for each in kept] == [(FIRST, "400"), (SECOND, "422")]
        assert all(each.at for each in kept)
        assert ledger.set_aside("mqtt") == []


def test_a_note_outlives_a_power_cut(tmp_path):
    with Ledger(tmp_path) as ledger:
        assert ledger._database.execute("PRAGMA synchronous").fetchone() == (2,)


def test_several_at_once(tmp_path):
    with Ledger(tmp_path) as one, Ledger(tmp_path) as other:
        one.note("mqtt", FIRST)
        other.note("webhook", SECOND)
        assert one.consumers() == other.consumers() == {"mqtt": FIRST, "webhook": SECOND}


def test_many_that_make_it_at_the_same_time(tmp_path):
    def one(number):
        with Ledger(tmp_path) as ledger:
            ledger.note(f"consumer {number}", FIRST)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(24)))
    with Ledger(tmp_path) as ledger:
        assert len(ledger.consumers()) == 24


def test_a_damaged_file_is_put_aside(tmp_path):
    (tmp_path / DELIVERIES).write_bytes(b"no database at all" * 300)
    with Ledger(tmp_path) as ledger:
        assert ledger.damaged
        assert ledger.place("mqtt") is None
        ledger.note("mqtt", FIRST)
    assert (tmp_path / f"{DELIVERIES}.damaged").read_bytes().startswith(b"no database")
    with Ledger(tmp_path) as ledger:
        assert not ledger.damaged
        assert ledger.place("mqtt") == FIRST


def test_a_newer_version_is_left_alone(tmp_path):
    database = sqlite3.connect(tmp_path / DELIVERIES)
    database.execute("PRAGMA user_version = 9")
    database.close()
    with pytest.raises(OutputError, match="version 9"):
        Ledger(tmp_path)


def test_a_folder_that_is_gone(tmp_path):
    with pytest.raises(OutputError, match="cannot be opened"):
        Ledger(tmp_path / "none")


def test_a_full_disk_changes_nothing(tmp_path):
    with Ledger(tmp_path) as ledger:
        ledger.note("mqtt", FIRST)
        pages = ledger._database.execute("PRAGMA page_count").fetchone()[0]
        ledger._database.execute(f"PRAGMA max_page_count = {pages}")
        many = [SetAside(SECOND, "x" * 10_000)]
        with pytest.raises(OutputError, match="full"):
            ledger.note("mqtt", SECOND, many)
        assert ledger.place("mqtt") == FIRST
        assert ledger.set_aside("mqtt") == []


def test_a_place_that_cannot_be():
    with pytest.raises(ValueError, match="sequence"):
        Place(-1, "", "")
