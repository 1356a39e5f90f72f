"""Pages by what cameras looked at: healthy structures, cameras that are moved."""

import contextlib
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from corrosion_edge.cli import cli
from corrosion_edge.device.backends.fake import FakeBackend
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.device.events.event import Asset, Happening
from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.events.summary import Summary
from corrosion_edge.device.history.material import View, gather
from corrosion_edge.device.store import Reader, Store
from corrosion_edge.device.store.store import DATABASE, Entry
from corrosion_edge.device.store.verify import verify

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def entry(kind, seconds=0.0, camera="", asset="", details=None):
    at = Stamp(START + timedelta(seconds=seconds), seconds, "boot-1")
    return Entry(Happening(kind=kind, at=at, camera=camera, asset=Asset(asset),
                           details=details or {}).to_dict())  # fmt: skip


def started(seconds, asset):
    looked = [{"camera": "north", "asset": asset, "position": ""}]
    return entry("started", seconds, details={"cameras": looked})


def summary(seconds):
    return Summary(camera="north", at=START + timedelta(seconds=seconds), boot="boot-1", frames=60,
                   unsure=0, unusable=0, low=0.1, mean=0.3, high=0.9, area=None, area_high=None,
                   cells=None)  # fmt: skip


@pytest.fixture(autouse=True)
def fake_classifier(bundle, monkeypatch):
    """A new one for each watch, as each closes its own."""
    monkeypatch.setattr(Classifier, "open", lambda *_, **__: Classifier(bundle, FakeBackend()))


def run(*words, code=0):
    result = CliRunner().invoke(cli, list(map(str, words)))
    assert result.exit_code == code, result.output
    return result


def watch(store, frames, *words):
    """So few frames that no event of the camera comes of them."""
    run("watch", "--camera", "demo", "--store", store, "--frames", frames, *words)


def pages(store, folder, *words):
    run("events", "report", store, "--out", folder, *words)
    return {page.name: page.read_text() for page in folder.iterdir()}


def frames(store):
    """Frames of each asset, by its minutes."""
    material = gather(store)
    return {asset: sum(s.frames for view in views for s in material.summaries_of(view))
            for asset, views in material.assets.items()}  # fmt: skip


def test_a_healthy_structure_has_its_page(tmp_path):
    store = tmp_path / "s"
    watch(store, 2, "--asset", "Tank 7", "--position", "from the gangway")
    with Reader(store) as reader:
        assert [event.fields["kind"] for event in reader.events()] == ["started", "stopped"]
    (text,) = pages(store, tmp_path / "all").values()
    assert "Tank 7; from the gangway" in text
    assert list(pages(store, tmp_path / "one", "--asset", "Tank 7")) == ["01-Tank-7.html"]
    refused = run("events", "report", store, "--out", tmp_path / "x", "--asset", "Tank 8", code=2)
    assert "--asset Tank 8: not in this period; there are: Tank 7" in refused.stderr


def test_so_has_one_of_which_no_minute_is_stored_yet(tmp_path):
    with Store(tmp_path) as store:
        store.append(started(0, "Tank 7"))
    assert gather(tmp_path).assets == {"Tank 7": [View("Tank 7", "north")]}


def test_a_camera_that_was_moved_is_on_a_page_of_each(tmp_path):
    store = tmp_path / "s"
    watch(store, 2, "--asset", "Tank 7")
    watch(store, 1, "--asset", "Tank 8", "--position", "pier")
    assert frames(store) == {"Tank 7": 2, "Tank 8": 1}
    found = pages(store, tmp_path / "pages")
    assert sorted(found) == ["01-Tank-7.html", "02-Tank-8.html"]
    assert "Tank 8; pier" in found["02-Tank-8.html"]
    assert "Tank 8" not in found["01-Tank-7.html"]
    run("events", "report", store, "--out", tmp_path / "one.html")
    text = (tmp_path / "one.html").read_text()
    assert text.index(": Tank 7</h2>") < text.index(": Tank 8</h2>")


def test_a_later_watch_without_an_asset_takes_none_away(tmp_path):
    store = tmp_path / "s"
    watch(store, 2, "--asset", "Tank 7")
    watch(store, 1)
    assert frames(store) == {"": 1, "Tank 7": 2}
    assert sorted(pages(store, tmp_path / "pages")) == ["01-no-asset.html", "02-Tank-7.html"]


def test_a_downtime_is_told_of_what_was_watched_when_it_began(tmp_path):
    with Store(tmp_path / "s") as store:
        for each in (started(0, "Tank 7"), entry("stopped", 600), started(1200, "Mast")):
            store.append(each)
    found = pages(tmp_path / "s", tmp_path / "pages")
    assert "watch stopped" in found["02-Tank-7.html"]
    assert "No downtime" in found["01-Mast.html"]


def test_minutes_of_an_older_store_are_of_what_events_said_before_or_else_next(tmp_path):
    with Store(tmp_path) as store:
        store.summarise([summary(60 * n) for n in range(6)])
        store.append(entry("usable", 90, "north", "Tank 7"))
        store.append(entry("usable", 210, "north", "Tank 8"))
    with contextlib.closing(sqlite3.connect(tmp_path / DATABASE)) as old, old:
        old.execute("ALTER TABLE summaries DROP COLUMN asset")
        old.execute("ALTER TABLE summaries DROP COLUMN position")
        old.execute("PRAGMA user_version = 4")
    assert verify(tmp_path).events == 2
    assert frames(tmp_path) == {"Tank 7": 4 * 60, "Tank 8": 2 * 60}
