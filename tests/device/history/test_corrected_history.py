"""What people read of events that were stamped before the clock was set."""

import csv
import json
from datetime import datetime, timedelta

import pytest
from click.testing import CliRunner
from clockless import DAY, ROUNDING, TRUE, Machine

from corrosion_edge.cli import cli
from corrosion_edge.device.events.summary import Summary
from corrosion_edge.device.history.listing import COLUMNS, local
from corrosion_edge.device.history.material import gather
from corrosion_edge.device.store import Store
from corrosion_edge.device.store.store import Entry


@pytest.fixture
def machine():
    """A boot whose clock was set at last, and one where it never was; both a year behind."""
    made = Machine(error=-365 * DAY)
    made.put("started")
    began = made.now()
    made.age = 600.0
    made.put("corrosion_ended", began)
    made.set()
    made.age = 700.0
    made.put("stopped")
    made.reboot(-365 * DAY)
    made.put("corrosion_ended", made.now())
    return made


@pytest.fixture
def folder(machine, tmp_path):
    with Store(tmp_path / "store") as store:
        for row in machine.rows:
            store.append(Entry({**row, "camera": "north" if row["start"] else ""}))
        store.summarise([
            Summary(camera="north", at=machine.true(60 * n) - timedelta(seconds=365 * DAY + 760),
                    boot="boot-0", frames=60, unsure=0, unusable=0, low=0.1, mean=0.3, high=0.9,
                    area=None, area_high=None, cells=None, monotonic_s=60.0 * n, clock_set=False)
            for n in range(5)
        ])  # fmt: skip
    return tmp_path / "store"


def run(*words):
    result = CliRunner().invoke(cli, ["events", *map(str, words)])
    assert result.exit_code == 0, result.output
    return result.stdout


def close(text, true):
    return abs(datetime.fromisoformat(text) - true) <= ROUNDING


def test_the_table_marks_what_is_corrected_and_what_is_doubtful(folder, machine):
    lines = run("list", folder).splitlines()[1:]
    assert [line[34] for line in lines] == ["c", "c", " ", " ", "?", "?"]
    stamps = [local(true.isoformat()) for true in machine.truth]
    shown = [stamp in line for stamp, line in zip(stamps, lines, strict=True)]
    assert shown == [True] * 4 + [False] * 2


def test_times_asked_for_are_the_corrected_ones(folder):
    def numbers(*words):
        return [json.loads(line)["sequence"]
                for line in run("list", folder, "--json", *words).splitlines()]  # fmt: skip

    since, until = TRUE.isoformat(), (TRUE + timedelta(seconds=600.5)).isoformat()
    assert numbers("--since", since) == [1, 2, 3, 4]
    assert numbers("--since", since, "--until", until) == [1, 2, 3]
    assert numbers("--until", since) == [5, 6]


def test_an_event_has_both_times(folder, machine):
    told = json.loads(run("show", folder, 2, "--json"))
    assert close(told["at"], machine.truth[1] - timedelta(days=365))
    assert close(told["corrected_at"], machine.truth[1])
    assert close(told["corrected_start"], machine.truth[0])
    assert told["corrected_end"] == told["corrected_at"]
    assert told["start"] < told["at"] == told["end"] < told["corrected_start"]
    text = run("show", folder, 2)
    for name in ("at", "corrected_at", "corrected_start"):
        (line,) = [line for line in text.splitlines() if line.split()[0] == name]
        assert local(told[name]) in line
    assert "corrected" not in run("show", folder, 4)


def test_exports_have_both_times(folder, machine, tmp_path):
    run("export", folder, "--out", tmp_path / "out")
    listed = json.loads((tmp_path / "out" / "events.json").read_text())
    rows = list(csv.DictReader((tmp_path / "out" / "events.csv").open(encoding="utf-8")))
    assert tuple(rows[0]) == COLUMNS
    for row, told in zip(rows, listed, strict=True):
        for name in ("at", "corrected_at", "corrected_start", "corrected_end"):
            assert row[name] == (told[name] or "")
    assert [told["corrected_at"] is None for told in listed] == [False] * 2 + [True] * 4
    assert [told["at"] for told in listed] == [row["at"] for row in machine.rows]


def test_the_report_is_of_the_corrected_times(folder, machine, tmp_path):
    material = gather(folder, since=TRUE - timedelta(days=1))
    assert [event.sequence for event in material.events] == [1, 2, 3, 4]
    minutes = [round((row.at - TRUE).total_seconds() / 60) for row in material.summaries]
    assert minutes == [0, 1, 2, 3, 4]
    run("report", folder, "--out", tmp_path / "page.html", "--since", TRUE - timedelta(days=1))
    text = (tmp_path / "page.html").read_text()
    assert "2 events and 5 minutes were stamped before the clock was set" in text
    assert f"{machine.truth[1].astimezone():%Y-%m-%d %H:%M:%S} (corrected)" in text
    assert "Hash chain whole: 6 events" in text
    assert "clock not set" not in text
    run("report", folder, "--out", tmp_path / "all.html", "--since", TRUE - timedelta(days=400))
    text = (tmp_path / "all.html").read_text()
    assert "2 events were stamped by a clock that was not set" in text
    assert "(clock not set)" in text
