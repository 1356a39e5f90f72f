"""A watch over cameras that each have framing, pace and asset of their own."""

import itertools
import json

import pytest
from click.testing import CliRunner

from corrosion_edge.cli import cli
from corrosion_edge.device import capture
from corrosion_edge.device.capture import Patience, Supervised
from corrosion_edge.device.sources.fake import FakeCamera
from corrosion_edge.device.store import Reader

CONFIG = """\
[watch]
json = true
quality = false
frames = 12

[detect]
smooth = "1/1"
enter = 0

[store]
folder = "events"

[camera.deck]
source = "/dev/video0"
tiles = "2x1"
asset = "Bridge"
rate = 5

[camera.tank]
source = "/dev/video1"
roi = "0,0,32,32"
interval = 3600
asset = "Tank"
"""


@pytest.fixture
def asked(monkeypatch):
    wishes = {}

    def opened(spec, *, observe=None, wish=None, bell=None, name="", **_):
        wishes[spec] = wish
        made = FakeCamera(itertools.repeat("frame"), period=0.01)
        return Supervised(made, patience=Patience(), observe=observe, bell=bell, name=name)

    monkeypatch.setattr(capture, "open_camera", opened)
    return wishes


def test_each_camera_is_framed_paced_and_named_for_itself(classifier, asked, tmp_path):
    file = tmp_path / "watch.toml"
    file.write_text(CONFIG.replace("frames = 12", "frames = 4"))
    result = CliRunner().invoke(cli, ["watch", "--config", str(file)])
    assert result.exit_code == 0, result.output
    told = [json.loads(line) for line in result.stdout.splitlines()]
    lines = [line for line in told if "event" not in line]
    deck = [line for line in lines if line["camera"] == "deck"]
    tank = [line for line in lines if line["camera"] == "tank"]
    assert (len(deck), len(tank)) == (3, 1)
    assert all("tile" in line for line in deck)
    assert not any("tile" in line for line in tank)
    assert asked["/dev/video0"].rate == 5
    assert asked["/dev/video1"].rate is None
    assert "deck: the source keeps no rate of 5" in result.stderr
    with Reader(tmp_path / "events") as reader:
        began = [
            each.fields for each in reader.events() if each.fields["kind"] == "corrosion_began"
        ]
    assert {each["camera"]: each["asset"] for each in began} == {"deck": "Bridge", "tank": "Tank"}


def test_an_asset_of_a_camera_needs_a_store(classifier, asked, tmp_path):
    file = tmp_path / "watch.toml"
    file.write_text('[camera.deck]\nsource = "/dev/video0"\nasset = "Bridge"\n')
    result = CliRunner().invoke(cli, ["watch", "--config", str(file)])
    assert result.exit_code == 2
    assert "asset, position of the camera deck: need --store DIR" in result.stderr
