"""What people read of a store: lists, exports, pages; grades and charts."""

import csv
import json
import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from corrosion_edge.cli import cli
from corrosion_edge.device.events.event import Asset, Happening, ModelName, Scene, Span
from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.events.summary import Summary
from corrosion_edge.device.history import d610, svg
from corrosion_edge.device.history.downtime import downtimes
from corrosion_edge.device.history.listing import COLUMNS
from corrosion_edge.device.history.material import gather
from corrosion_edge.device.store import Reader, Store
from corrosion_edge.device.store.pictures import jpegs
from corrosion_edge.device.store.store import Entry
from corrosion_edge.prediction import Prediction
from corrosion_edge.render import surface

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def stamp(minutes):
    return Stamp(START + timedelta(minutes=minutes), 60.0 * minutes, "boot-1")


def put(store, kind, minutes, camera="north", asset="Tank 7", reason=""):
    span = scene = None
    if kind.startswith("corrosion"):
        span = Span(start=stamp(minutes - 1), end=stamp(minutes), seconds=60, peak=0.9, mean=0.8,
                    frames=6, evidence=5)  # fmt: skip
        picture = surface("steel", rust=0.5, seed=minutes, size=(96, 72))
        scene = Scene(picture, Prediction(0.9, 0.5, surface_map()))
    what = Happening(kind=kind, at=stamp(minutes), camera=camera, asset=Asset(asset, "pier 3"),
                     span=span, model=ModelName("m", "ab" * 32, 0.5), enter=0.8, leave=0.2,
                     reason=reason, scene=scene)  # fmt: skip
    store.append(Entry(what.to_dict(), jpegs(scene)))


def surface_map():
    import numpy as np

    return np.full((7, 7), 3.0, np.float32)


@pytest.fixture
def folder(tmp_path):
    """Two cameras of two assets; one was lost for half an hour, the watch was killed once."""
    with Store(tmp_path / "store") as store:
        put(store, "started", 0, camera="")
        put(store, "corrosion_began", 10)
        put(store, "camera_lost", 20, reason="=unplugged")
        put(store, "camera_recovered", 50)
        put(store, "corrosion_ended", 60)
        put(store, "unusable", 70, camera="south", asset="Mast <2>", reason="too dark")
        put(store, "started", 130, camera="")
        store.summarise(
            [Summary(camera="north", at=START + timedelta(minutes=n), boot="boot-1", frames=60,
                     unsure=6, unusable=0, low=0.1, mean=0.3, high=0.9, area=0.1, area_high=0.2,
                     cells=49) for n in (*range(20), *range(50, 100))]
        )  # fmt: skip
    return tmp_path / "store"


def run(*words):
    return CliRunner().invoke(cli, ["events", *map(str, words)])


def test_list_filters_by_camera_kind_asset_and_time(folder):
    def numbers(*words):
        result = run("list", folder, "--json", *words)
        assert result.exit_code == 0, result.output
        return [json.loads(line)["sequence"] for line in result.stdout.splitlines()]

    assert numbers() == [1, 2, 3, 4, 5, 6, 7]
    assert numbers("--camera", "south") == [6]
    assert numbers("--kind", "corrosion_began", "--kind", "corrosion_ended") == [2, 5]
    assert numbers("--asset", "Tank 7", "--camera", "north") == [2, 3, 4, 5]
    since, until = "2026-03-01T12:20:00+00:00", "2026-03-01T13:10:00+00:00"
    assert numbers("--since", since, "--until", until) == [3, 4, 5]
    assert "yesterday" in run("list", folder, "--since", "yesterday").stderr
    assert run("list", folder, "--kind", "nonsense").exit_code == 2


def test_the_table_names_what_happened(folder):
    lines = run("list", folder).stdout.splitlines()
    assert len(lines) == 8
    assert "corrosion_began" in lines[2]
    assert "0.900" in lines[2]
    assert "Tank 7; pier 3" in lines[2]


def test_show_names_pictures(folder):
    text = run("show", folder, 2).stdout
    assert "picture plain" in text
    assert json.loads(run("show", folder, 2, "--json").stdout)["pictures"]["map"]["sha256"]
    assert run("show", folder, 99).exit_code == 2


def test_export_as_json_csv_and_folder(folder, tmp_path):
    for name in ("a.json", "a.csv", "out"):
        assert run("export", folder, "--out", tmp_path / name).exit_code == 0
    assert len(json.loads((tmp_path / "a.json").read_text())) == 7
    rows = list(csv.DictReader((tmp_path / "out" / "events.csv").open(encoding="utf-8")))
    assert tuple(rows[0]) == COLUMNS
    assert rows[2]["reason"] == "'=unplugged"
    files = sorted(p.name for p in (tmp_path / "out" / "pictures").iterdir())
    assert len(files) == 4
    assert rows[1]["map"] in files
    again = run("export", folder, "--out", tmp_path / "out")
    assert again.exit_code == 1
    assert "exists already" in again.stderr


def test_export_says_which_picture_is_missing(folder, tmp_path):
    with Reader(folder) as reader:
        reader.event("2").pictures["map"].path.unlink()
    result = run("export", folder, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "-map.jpg: the picture is missing" in result.stderr
    assert not (tmp_path / "out").exists()


def test_verify_prints_the_head_and_fails_on_a_change(folder):
    head = run("verify", folder, "--head").stdout.strip()
    assert f"head: {head}" in run("verify", folder).stdout
    assert run("verify", folder, "--expect", head).exit_code == 0
    assert run("verify", folder, "--expect", "0" * 63 + "1").exit_code == 1
    with Reader(folder) as reader:
        reader.event("5").pictures["plain"].path.write_bytes(b"another")
    result = run("verify", folder)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert "event 5: its picture" in result.stderr


def test_a_folder_without_a_store_is_one_sentence(tmp_path):
    for command in (["list"], ["verify"], ["report", "--out", "x.html"], ["show"]):
        words = [command[0], tmp_path, *command[1:], *(["1"] if command == ["show"] else [])]
        result = run(*words)
        assert result.exit_code == 1
        assert "no event store" in result.stderr


def test_the_report_is_one_page_or_one_an_asset(folder, tmp_path):
    assert run("report", folder, "--out", tmp_path / "all.html").exit_code == 0
    text = (tmp_path / "all.html").read_text()
    assert "A screening, not a measurement" in text
    assert "Hash chain whole: 7 events" in text
    assert "Mast &lt;2&gt;" in text
    assert text.count("image/jpeg") == 2
    assert text.count("svg+xml") == 2
    assert "http:" not in text
    assert "https:" not in text
    assert "watch broke off" in text
    assert run("report", folder, "--out", tmp_path / "pages").exit_code == 0
    names = sorted(p.name for p in (tmp_path / "pages").iterdir())
    assert names == ["01-Mast--2-.html", "02-Tank-7.html"]
    assert run("report", folder, "--out", tmp_path / "x.html", "--asset", "no").exit_code == 2


def test_the_report_tells_of_other_models(folder, tmp_path):
    out = tmp_path / "page.html"
    words = ["events", "report", str(folder), "--out", str(out)]
    assert CliRunner().invoke(cli, words).exit_code == 0
    assert "Another model" not in out.read_text()
    with Store(folder) as store:
        put(store, "model_changed", 140, camera="", asset="", reason="the file was replaced")
        put(store, "model_refused", 150, camera="", asset="", reason="truncated <here>")
    assert CliRunner().invoke(cli, words).exit_code == 0
    text = out.read_text()
    assert "Another model" in text
    assert text.index("model_refused") < text.index("model_changed")
    assert "truncated &lt;here&gt;" in text


def test_the_report_of_a_changed_store_warns(folder, tmp_path):
    with Reader(folder) as reader:
        reader.event("2").pictures["map"].path.write_bytes(b"no picture")
    assert run("report", folder, "--out", tmp_path / "all.html").exit_code == 0
    text = (tmp_path / "all.html").read_text()
    assert "changed by another hand" in text
    assert "the picture is damaged" in text


def test_downtimes_have_their_ends(folder):
    material = gather(folder)
    found = {(d.camera, d.what): d for d in downtimes(material.events, material.summaries)}
    lost = found["north", "lost"]
    assert (lost.end - lost.start, lost.reason) == (timedelta(minutes=30), "=unplugged")
    # The watch was last alive when it stored the last minute.
    broke = found["", "watch broke off"]
    assert broke.start == START + timedelta(minutes=99)
    assert broke.end == START + timedelta(minutes=130)
    assert ("south", "picture unusable") not in found  # that watch is over


@pytest.mark.parametrize(
    ("area", "cells", "band"),
    [
        (0.0, 49, "5 to 10"),  # one cell is 2.04 %, grade 5 (up to 3 %)
        (1 / 49, 49, "4 to 10"),
        (0.10, 10000, "3 to 4"),
        (0.05, 1000, "4"),
        (1.0, 49, "0"),
        (0.4, 49, "1"),
    ],
)
def test_grades_are_no_finer_than_the_map(area, cells, band):
    assert d610.band(area, cells) == band


@pytest.mark.parametrize(
    ("area", "grade"),
    [(0.0001, 10), (0.00011, 9), (0.0003, 9), (0.001, 8), (0.003, 7), (0.01, 6), (0.03, 5),
     (0.031, 4), (0.1, 4), (0.16, 3), (0.33, 2), (0.5, 1), (0.51, 0)],
)  # fmt: skip
def test_the_grades_are_those_of_the_table(area, grade):
    assert next(g for most, g in d610.GRADES if area <= most) == grade


@settings(deadline=None)
@given(st.floats(0, 1), st.integers(1, 10000))
def test_more_area_is_never_a_better_grade(area, cells):
    worst = int(d610.band(area, cells).split()[0])
    assert int(d610.band(min(1.0, area + 0.1), cells).split()[0]) <= worst


POINTS = st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1)), max_size=40)


@settings(deadline=None)
@given(POINTS, st.floats(1, 1e8))
def test_any_chart_is_whole_and_stays_on_its_paper(drawn, length):
    points = [svg.Point(START + timedelta(seconds=s), v / 2, v, v) for s, v in sorted(drawn)]
    text = svg.chart("a < b", points, period=(START, START + timedelta(seconds=length)), top=1.0,
                     gap=timedelta(hours=1), marks=[(0.8, "enter")],
                     bands=[svg.Band(START, START + timedelta(days=400), "event")])  # fmt: skip
    for element in ET.fromstring(text).iter():
        for place in element.get("points", "").split():
            x, y = map(float, place.split(","))
            assert 0 <= x <= svg.WIDTH
            assert 0 <= y <= svg.HEIGHT


def test_a_gap_is_not_drawn_over():
    points = [svg.Point(START + timedelta(hours=n), 0, 0.5, 1) for n in (0, 1, 9, 10)]
    text = svg.chart("t", points, period=(START, START + timedelta(hours=10)), top=1,
                     gap=timedelta(hours=2))  # fmt: skip
    assert text.count("<polyline") == 2


@pytest.mark.parametrize("hours", [1, 3, 9, 30, 100, 500])
@pytest.mark.parametrize("minute", range(0, 60, 7))
def test_no_time_is_cut_off(hours, minute):
    start = START + timedelta(minutes=minute)
    text = svg.chart("t", [], period=(start, start + timedelta(hours=hours)), top=1,
                     gap=timedelta(hours=2))  # fmt: skip
    for x, name in re.findall(r'x="([^"]+)" y="238" text-anchor="middle">([^<]+)', text):
        assert 3.5 * len(name) <= float(x) <= svg.WIDTH - 3.5 * len(name)


def test_thousands_fit_into_the_margin():
    points = [svg.Point(START, 0, 1500, 6000)]
    text = svg.chart("t", points, period=(START, START + timedelta(hours=1)), top=6000,
                     gap=timedelta(hours=2))  # fmt: skip
    assert [f">{label}<" in text for label in ("0", "1.5k", "3k", "4.5k", "6k")] == 5 * [True]
