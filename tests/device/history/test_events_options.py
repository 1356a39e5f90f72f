"""What the events commands are asked for that cannot be, and periods of which nothing is known."""

import sqlite3

import pytest
from click.testing import CliRunner

from corrosion_edge.cli import cli
from corrosion_edge.device.events.event import Happening
from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.store import Store
from corrosion_edge.device.store.chain import GENESIS
from corrosion_edge.device.store.database import DATABASE
from corrosion_edge.device.store.entry import Entry


@pytest.fixture
def folder(tmp_path):
    with Store(tmp_path / "store") as store:
        for kind in ("started", "camera_lost", "stopped"):
            camera = "north" if kind == "camera_lost" else ""
            store.append(Entry(Happening(kind=kind, at=Stamp.now(), camera=camera).to_dict()))
    return tmp_path / "store"


def run(*words):
    return CliRunner().invoke(cli, ["events", *map(str, words)])


def refused(*words):
    result = run(*words)
    assert result.exit_code == 2, result.output
    return result.stderr.splitlines()[-1]


@pytest.mark.parametrize("name", ["e.txt", "e.csv.gz", "e.htmlx"])
def test_an_unknown_ending_makes_no_folder(folder, tmp_path, name):
    for command in ("export", "report"):
        assert f"Error: --out {tmp_path / name}: expected a file" in refused(
            command, folder, "--out", tmp_path / name
        )
    assert not (tmp_path / name).exists()


def test_a_folder_that_is_there_may_have_an_ending(folder, tmp_path):
    for command in ("export", "report"):
        (tmp_path / f"{command}.d").mkdir()
        assert run(command, folder, "--out", tmp_path / f"{command}.d").exit_code == 0
    assert (tmp_path / "export.d" / "events.csv").is_file()
    assert (tmp_path / "report.d" / "01-no-asset.html").is_file()


@pytest.mark.parametrize("until", ["0001-01-02", "0001-01-01", "1969-12-31", "9999-12-31", "x"])
def test_a_time_that_no_clock_shows_is_refused(folder, tmp_path, until):
    for option in ("--until", "--since"):
        told = refused("report", folder, "--out", tmp_path / "r.html", option, until)
        assert "expected a day or a time from 1970 on" in told
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize("command", ["report", "export", "list"])
def test_a_period_that_ends_before_it_begins_is_refused(folder, tmp_path, command):
    out = [] if command == "list" else ["--out", tmp_path / "r"]
    told = refused(command, folder, *out, "--since", "2026-03-02", "--until", "2026-03-01")
    assert told.startswith("Error: --since: is later than --until")


@pytest.mark.parametrize("words", [["--until", "1970-01-03"], ["--since", "2100-01-01"]])
@pytest.mark.parametrize("name", ["r.html", "pages"])
def test_a_page_of_no_data_claims_nothing(folder, tmp_path, words, name):
    assert run("report", folder, "--out", tmp_path / name, *words).exit_code == 0
    page = tmp_path / name
    text = (page if name == "r.html" else page / "01-no-asset.html").read_text()
    assert "Nothing was recorded in this period" in text
    assert "No downtime" not in text


def test_the_page_says_what_the_chain_covers(folder, tmp_path):
    assert run("report", folder, "--out", tmp_path / "r.html").exit_code == 0
    text = (tmp_path / "r.html").read_text()
    assert "Hash chain whole: 3 events, 0 pictures" in text
    assert "The scores of each minute, which the charts show, are not in it." in text
    assert "scores of each minute, which are not in the chain" in run("verify", folder).stdout


def test_a_store_without_its_tables_is_one_sentence(folder, tmp_path):
    with sqlite3.connect(folder / DATABASE) as database:
        database.execute("DROP TABLE summaries")
    database.close()
    result = run("report", folder, "--out", tmp_path / "r.html")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {folder / DATABASE}: cannot be read (no such table")


def test_a_noted_head_may_be_as_the_head_file_has_it(folder):
    head = run("verify", folder, "--head").stdout.strip()
    for noted in (head, head.upper(), f"3 {head}", f"3 {head}\n", f" {head} "):
        assert run("verify", folder, "--expect", noted).exit_code == 0, noted
    result = run("verify", folder, "--expect", f"2 {head}")
    assert result.exit_code == 1
    assert "is not in the chain as that event" in result.stderr


@pytest.mark.parametrize("noted", ["", " ", "abc", "g" * 64, "a" * 63, "a" * 65, "x " + "a" * 64])
def test_what_is_no_head_is_refused(folder, noted):
    assert refused("verify", folder, "--expect", noted).startswith("Error: --expect: expected")


def test_the_head_of_an_empty_chain_says_nothing_of_others(folder, tmp_path):
    assert "64 zeros are the head of an empty chain" in refused(
        "verify", folder, "--expect", GENESIS
    )
    Store(tmp_path / "new").close()
    assert run("verify", tmp_path / "new", "--expect", f"0 {GENESIS}").exit_code == 0
