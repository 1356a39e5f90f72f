"""``[camera.NAME]`` in the configuration: what is said of one camera alone."""

import tomllib
from functools import partial

import click
import commands
import pytest

from corrosion_edge.device.cameras import Cameras
from corrosion_edge.device.capturing import Capture
from corrosion_edge.device.cli import watch
from corrosion_edge.device.config.tables import TABLE_KEYS
from corrosion_edge.errors import UsageError

run = partial(commands.run, "watch")


TWO = """\
[watch]
interval = 10
rotate = "90"

[store]
folder = "events"

[camera.deck]
source = "/dev/video0"
resolution = "1280x720"
rate = 5
roi = "0.0,0.0,0.5,1.0"
tiles = "3x2"
asset = "Bridge 4"
position = "pier 2"
interval = 2

[camera.tank]
source = "clip.mp4"
rotate = "0"
"""


def cameras(*words):
    context = watch.make_context("watch", list(map(str, words)))
    values = {name: context.params[name] for name in Capture.__slots__}
    return Cameras.of(context, Capture(**values))


def test_a_table_says_what_is_its_cameras_own_and_the_rest_is_that_of_all(write, tmp_path):
    made = cameras("--config", write(TWO))
    deck, tank = made._cameras["deck"], made._cameras["tank"]
    assert made.names == ("deck", "tank")
    assert (deck.source, tank.source) == ("/dev/video0", str(tmp_path / "clip.mp4"))
    assert deck.capture.resolution == (1280, 720)
    assert (deck.capture.rate, deck.capture.roi, deck.capture.tiles) == (
        5, "0.0,0.0,0.5,1.0", (3, 2))  # fmt: skip
    assert (deck.capture.rotate, tank.capture.rotate) == ("90", "0")
    assert (deck.interval, tank.interval) == (2, 10)
    assert tank.capture.tiles is None
    assets = made.assets("")
    assert (assets["deck"].name, assets["deck"].position) == ("Bridge 4", "pier 2")
    assert (assets["tank"].name, assets["tank"].position) == ("", "")


def test_the_command_line_beats_every_table(write):
    file = write(TWO)
    made = cameras("--config", file, "--rotate", "180", "--interval", "1", "--asset", "X")
    assert {each.capture.rotate for each in made._cameras.values()} == {"180"}
    assert {each.interval for each in made._cameras.values()} == {1}
    assert {each.asset for each in made._cameras.values()} == {"X"}
    assert cameras("--config", file, "--camera", "demo").names == ()


def test_what_is_printed_reads_back_to_the_same(write):
    once = run("--config", write(TWO), "--print-config")
    assert once.exit_code == 0, once.output
    told = tomllib.loads(once.stdout)
    assert told["camera"]["deck"]["tiles"] == "3x2"
    assert told["camera"]["deck"]["rate"] == 5
    assert "camera" not in told["watch"]
    again = write(once.stdout, "again.toml")
    assert run("--config", again, "--print-config").stdout == once.stdout
    assert cameras("--config", again)._cameras == cameras("--config", write(TWO))._cameras


def test_a_camera_may_be_asked_for_its_full_picture(write):
    table = '[camera.deck]\nsource = "demo"\nresolution = "4608x2592"\n'
    assert cameras("--config", write(table))._cameras["deck"].capture.resolution == (4608, 2592)


@pytest.mark.parametrize("section", ["[watch]\n", '[camera.deck]\nsource = "/dev/video0"\n'])
def test_no_camera_has_such_a_picture(write, section):
    file = write(f'{section}resolution = "9401x10"\n')
    line = section.count("\n") + 1
    expected = "resolution: expected sides of 1 to 9400 pixels, got 9401x10"
    assert run("--config", file).stderr.strip() == f"Error: {file}:{line}: {expected}"


def test_all_mistakes_at_once_each_with_its_line(write):
    file = write('[watch]\ncamera = "demo"\n[camera.deck]\nsource = 3\nresolution = "big"\n'
                 'tile = "3x2"\n[camera.yard]\nroi = "1,2,3"\nrotate = "45"\n'
                 '[camera."a b"]\nsource = "demo"\n[camera.x]\nsource = "demo"\nrate = -1\n'
                 'tiles = 3\nfollow = true\n')  # fmt: skip
    result = run("--config", file)
    assert result.exit_code == 2
    lines = [line.strip().removeprefix(f"{file}:") for line in result.stderr.splitlines()[1:]]
    assert lines == [
        "2: either the key 'camera' or tables [camera.NAME] say which cameras, not both",
        "4: source: expected string, got 3",
        "5: resolution: expected two counts such as 1280x720, got 'big'",
        "6: unknown key 'tile' in [camera.deck]; did you mean 'tiles'?",
        "7: [camera.yard] has no source",
        "8: roi: expected four numbers X,Y,W,H, got '1,2,3'",
        "9: rotate: '45' is not one of '0', '90', '180', '270'",
        "10: 'a b' is no name for a camera: expected up to 32 letters, digits, '-' and '_'",
        "14: rate: expected more than 0 frames a second, got -1.0",
        "15: tiles: expected string, got 3",
        "16: unknown key 'follow' in [camera.x]",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [('[camera.a]\nsource = "demo"\n[camera.a]\nrate = 1\n', ":3: no TOML"),
     ('[camera.a]\nsource = "demo"\nsource = "demo"\n', ":3: no TOML"),
     ("[camera]\n", ":1: expected a table [camera.NAME] for each camera"),
     ("[camera]\ndeck = 3\n", ":2: expected a table [camera.deck], got 3"),
     ('[camera]\ndeck = {source = "demo", x = 1}\n', ":2: unknown key 'x' in [camera.deck]"),
     ('camera = "demo"\n', ":1: the key 'camera' belongs in the section [watch]"),
     ("[cameras.deck]\n", "[camera.NAME]")],
)  # fmt: skip
def test_mistakes(write, text, expected):
    result = run("--config", write(text))
    assert result.exit_code == 2
    assert expected in result.stderr


def test_every_key_of_a_table_is_an_option():
    options = {opt[2:] for option in watch.params for opt in option.opts}
    assert set(TABLE_KEYS.values()) <= options


def test_a_command_without_cameras_has_no_such_tables(write):
    from corrosion_edge.device.config.configuration import Configuration
    from corrosion_edge.device.config.keys import keys_of

    @click.command()
    @click.option("--limit")
    def other(limit):
        pass

    with pytest.raises(UsageError, match="'camera' is no section"):
        Configuration.read(write("[camera.a]\n"), keys_of(other), click.Context(other))


def test_a_file_has_no_name(classifier, write, folder):
    result = run("--config", write(f'[camera.a]\nsource = "{folder}"\n'))
    assert result.exit_code == 2
    assert "only live cameras have names" in result.stderr


def test_an_asset_needs_a_store(classifier, monkeypatch, write):
    result = run("--config", write('[watch]\ncamera = "demo"\n[store]\n'), "--asset", "A")
    assert "needs --store DIR" in result.stderr
