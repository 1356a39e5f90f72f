"""``watch`` with minutes or hours between two frames: by stamps, nobody sleeps so long."""

import itertools
from fractions import Fraction
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from corrosion_edge.cli import cli
from corrosion_edge.device.store import Reader

CORRODED = ["--enter", "0", "--leave", "0"]


@pytest.fixture(autouse=True)
def fake_classifier(classifier):
    return classifier


def watch(store, *words):
    result = CliRunner().invoke(cli, ["watch", "--store", str(store), *map(str, words)])
    assert result.exit_code == 0, result.output
    with Reader(store) as reader:
        return [event.fields for event in reader.events()]


def test_a_recording_looked_at_every_ten_minutes_has_events(tmp_path, write_video, pictures):
    video = write_video(tmp_path / "v.mkv", pictures[:1] * 12, rate=Fraction(1, 310))
    found = watch(tmp_path / "s", "--camera", video, "--interval", "600", *CORRODED)
    assert [one["kind"] for one in found] == [
        "started", "corrosion_began", "corrosion_ended", "stopped",
    ]  # fmt: skip
    assert (found[1]["frames"], found[1]["duration_s"]) == (3, 1240)
    assert (found[2]["frames"], found[2]["duration_s"]) == (6, 3100)


def test_an_hourly_photo_in_a_followed_folder_makes_an_event(tmp_path, folder, monkeypatch):
    hours = itertools.count(0.0, 3600.0)
    stamped = SimpleNamespace(monotonic=lambda: next(hours))
    monkeypatch.setattr("corrosion_edge.frame.time", stamped)
    found = watch(tmp_path / "s", "--camera", folder, "--follow", "--frames", "4", *CORRODED)
    assert [one["kind"] for one in found] == [
        "started", "corrosion_began", "corrosion_ended", "stopped",
    ]  # fmt: skip
    assert (found[1]["frames"], found[1]["duration_s"]) == (3, 7200)
