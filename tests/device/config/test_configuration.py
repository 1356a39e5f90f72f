"""``watch --config`` and ``--print-config``."""

import json
import os
import tomllib
from functools import partial
from pathlib import Path

import click
import commands
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corrosion_edge.device.cli import watch
from corrosion_edge.device.config import Configurable, config_options, show_config
from corrosion_edge.device.config.asked import asked_of
from corrosion_edge.device.config.configuration import Configuration
from corrosion_edge.device.config.keys import NOT_KEYS, SECTIONS, Key, keys_of
from corrosion_edge.device.config.printing import printed, toml_value
from corrosion_edge.errors import UsageError

run = partial(commands.run, "watch")


def effective(*arguments):
    result = run(*arguments, "--print-config")
    assert result.exit_code == 0, result.output
    return tomllib.loads(result.stdout)


def mistakes(file):
    result = run("--config", file)
    assert result.exit_code == 2, result.output
    return result.stderr


def test_every_option_has_its_key():
    options = {opt[2:] for option in watch.params for opt in option.opts if opt.startswith("--")}
    assert sorted(key.long_name for key in keys_of(watch)) == sorted(options - NOT_KEYS)


def test_every_key_that_has_a_section_of_its_own_is_an_option():
    known = {key.long_name for key in keys_of(watch)}
    assert {name for names in SECTIONS.values() for name in names} <= known


def test_the_file_stands_in_for_the_command_line(classifier, write):
    file = write('[watch]\ncamera = "demo"\nframes = 2\njson = true\nthreshold = 0\n')
    result = run("--config", file)
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(line["index"], line["threshold"]) for line in lines] == [(0, 0), (1, 0)]


def test_the_command_line_beats_the_file_wherever_it_stands(write):
    file = write('[watch]\nframes = 2\nthreshold = "recall"\ninterval = 3\n')
    for words in (("--config", file, "--frames", 5), ("--frames", 5, "--config", file)):
        told = effective(*words)["watch"]
        assert (told["frames"], told["threshold"], told["interval"]) == (5, "recall", 3.0)


def test_paths_are_relative_to_the_file(write, tmp_path, monkeypatch):
    (tmp_path / "deep").mkdir()
    file = write('[watch]\nmodel = "m.tflite"\nrequire-signature = "../k.pub"\n'
                 'camera = "clip.mp4"\n', "deep/a.toml")  # fmt: skip
    monkeypatch.chdir("/")
    told = effective("--config", file)["watch"]
    assert told["model"] == f"{tmp_path}/deep/m.tflite"
    assert Path(told["require-signature"]).resolve() == tmp_path / "k.pub"
    assert told["camera"] == f"{tmp_path}/deep/clip.mp4"
    monkeypatch.chdir(tmp_path)
    assert effective("--config", "deep/a.toml")["watch"]["model"] == told["model"]


@pytest.mark.parametrize(
    "camera", ["auto", "demo", "picamera2", "picamera2:1", "rtsp://a/b", "/dev/video0"]
)
def test_what_is_no_file_stays_as_it_is(write, camera):
    assert (
        effective("--config", write(f'[watch]\ncamera = "{camera}"\n'))["watch"]["camera"] == camera
    )


def test_all_mistakes_at_once_each_with_its_line(write):
    file = write('threads = 3\n[watch]\nthread = 3\ninterval = -1\njson = 1\n\nframes = 2.5\n'
                 'threshold = 4\nverify = "half"\nmodel = true\ncamera = 1979-05-27\n'
                 'frames_ = 0\n[watcher]\na = 1\n')  # fmt: skip
    lines = mistakes(file).splitlines()
    assert lines[0] == f"Error: {file}: 11 mistakes"
    assert [line.strip().removeprefix(f"{file}:") for line in lines[1:]] == [
        "1: the key 'threads' belongs in the section [watch]",
        "3: unknown key 'thread' in [watch]; did you mean 'threads'?",
        "4: interval: expected 0 seconds or more, got -1.0",
        "5: json: expected true or false, got 1",
        "7: frames: expected integer, got 2.5",
        "8: threshold: expected 'recall' or a number from 0 to 1, got '4'",
        "9: verify: 'half' is not one of 'quick', 'full'",
        "10: model: expected string, got true",
        "11: camera: expected string, or an array of such, got datetime.date(1979, 5, 27)",
        "12: unknown key 'frames_' in [watch]; did you mean 'frames'?",
        "13: 'watcher' is no section; there are: [accelerator], [detect], [gpio], "
        "[mqtt], [store], [watch], [web], [webhook], [camera.NAME]",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("[watch]\nframes = 0\n", ":2: frames: 0 is not in the range x>=1"),
     ("[watch]\nthreads = true\n", ":2: threads: expected integer, got true"),
     ("[watch]\ninterval = nan\n", ":2: interval: expected 0 seconds or more, got nan"),
     ("[watch]\nframes = [1]\n", ":2: frames: expected integer, got an array"),
     ("[watch]\nframes.x = 1\n", ":2: frames: expected integer, got a table"),
     ("watch = 1\n", ":1: 'watch' is no section"),
     ("[watch]\n\na = = 1\n", ":3: no TOML"), ("[watch]\na = \"\"\"\nx\n", ":4: no TOML"),
     ("[watch]\njson = true\njson = true\n", ":3: no TOML"),
     ("[watch]\nconfig = 'x'\n", ":2: unknown key 'config'"),
     ("[watch]\nthresh = 1\nzzz = 1", ":3: unknown key 'zzz' in [watch]\n")],
)  # fmt: skip
def test_mistakes(write, text, expected):
    assert expected in mistakes(write(text))


def test_a_file_that_cannot_be_read(tmp_path):
    assert f"{tmp_path}: cannot be read (Is a directory)" in mistakes(tmp_path)
    assert "cannot be read (No such file or directory)" in mistakes(tmp_path / "x.toml")
    (tmp_path / "b.toml").write_bytes(b"[watch]\n# \xff\n")
    assert f"{tmp_path}/b.toml:2: expected text in UTF-8" in mistakes(tmp_path / "b.toml")


def test_what_may_never_end_is_no_configuration(tmp_path):
    pipe, large = tmp_path / "pipe.toml", tmp_path / "large.toml"
    os.mkfifo(pipe)
    with large.open("wb") as file:
        file.truncate(2**30)
    for path, said in ((pipe, "a pipe or device"), ("/dev/zero", "a pipe or device"),
                       (large, "1,073,741,824 bytes are no configuration")):  # fmt: skip
        told = mistakes(path)
        assert f"{path}: " in told
        assert said in told


def test_an_empty_file_changes_nothing(write):
    assert effective("--config", write("")) == effective()


def test_the_print_has_every_key_with_its_help():
    text = run("--print-config").stdout
    for key in keys_of(watch):
        assert f"\n{key.name} = " in text or f"\n# {key.name} =\n" in text
    flat = " ".join(line.removeprefix("# ") for line in text.splitlines())
    assert all(" ".join(key.option.help.split()) in flat for key in keys_of(watch))
    assert max(map(len, text.splitlines())) <= 100


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "camera": st.sampled_from(["demo", "auto", "rtsp://u:p@h/x?y=1", "a b.mp4"]) | TEXT,
        "model": TEXT,
        "threshold": st.floats(0, 1) | st.just("recall"),
        "frames": st.integers(1, 2**40),
        "interval": st.floats(0, 1e9) | st.integers(0, 100),
        "json": st.booleans(),
        "threads": st.integers(1, 64),
        "require-signature": TEXT,
        "verify": st.sampled_from(["quick", "full"]),
    },
)


def test_several_cameras_stand_in_an_array_and_their_files_are_placed(write, tmp_path):
    file = write('[watch]\ncamera = ["gate=/dev/video0", "yard=clip.mp4", "far=rtsp://a/b"]\n')
    placed = ["gate=/dev/video0", f"yard={tmp_path / 'clip.mp4'}", "far=rtsp://a/b"]
    assert effective("--config", file)["watch"]["camera"] == placed
    again = write(run("--config", file, "--print-config").stdout, "again.toml")
    assert effective("--config", again)["watch"]["camera"] == placed


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(OPTIONS)
def test_what_is_printed_reads_back_to_the_same(tmp_path, options):
    first, second = tmp_path / "first.toml", tmp_path / "deeper" / "second.toml"
    second.parent.mkdir(exist_ok=True)
    lines = [f"{name} = {toml_value(value)}" for name, value in options.items()]
    first.write_text("[watch]\n" + "\n".join(lines) + "\n", newline="")
    once = run("--config", first, "--print-config")
    assert once.exit_code == 0, once.output
    second.write_text(once.stdout, newline="")
    assert run("--config", second, "--print-config").stdout == once.stdout
    told = tomllib.loads(once.stdout)["watch"]
    for name in ("threshold", "frames", "interval", "json", "threads", "verify"):
        if name in options:
            assert told[name] == options[name]


def test_bytes_that_are_no_text_are_refused_with_a_sentence():
    result = run("--model", b"\xff".decode("utf-8", "surrogateescape"), "--print-config")
    assert result.exit_code == 2
    assert "no UTF-8" in result.stderr


@click.command()
@click.option("--names", multiple=True, help="Names.")
@click.option("--limit", type=click.FloatRange(0, 1), default=0.5, help="A limit.")
@click.option("--keep/--drop", default=True, help="Keep it.")
def other(**_):
    """A command with options of further kinds."""


def read(file):
    return Configuration.read(file, keys_of(other, SECTIONS_OF_OTHER), click.Context(other))


def _size(ctx, option, value):
    return None if value is None else tuple(map(int, value.split("x")))


def test_what_callbacks_made_of_a_value_is_not_what_is_printed(write):
    @click.command(cls=Configurable)
    @click.option("--size", callback=_size, help="A size.")
    @config_options
    @click.pass_context
    def sized(ctx, size, print_config):
        assert size == (3, 2)
        show_config(ctx)

    assert CliRunner().invoke(sized, ["--size", "3x2"]).output.endswith('size = "3x2"\n')
    file = write('[watch]\nsize = "3x2"\n')
    assert CliRunner().invoke(sized, ["--config", str(file)]).output.endswith('size = "3x2"\n')


def test_an_options_name_leads_to_its_key(write):
    told = mistakes(write('[watch]\nstore = "events"\n[store]\nsmooth = "3/5"\n'))
    assert ":2: --store is the key 'folder' in the section [store]" in told
    assert ":4: the key 'smooth' belongs in the section [detect]" in told


SECTIONS_OF_OTHER = {"watch": {}, "store": {"keep": "keep", "limit": "limit"}}


def test_options_that_come_later_need_a_place_at_most(write):
    file = write('[watch]\nnames = ["a", "b"]\n[store]\nkeep = false\nlimit = 1\n')
    assert dict(read(file).values) == {"names": ["a", "b"], "keep": False, "limit": 1}


def test_their_mistakes(write):
    file = write('[watch]\nnames = ["a", 1]\nkeep = true\n[store]\nlimit = 2\n')
    with pytest.raises(UsageError) as error:
        read(file)
    assert ":2: names: expected string, or an array of such, got an array" in str(error.value)
    assert ":3: the key 'keep' belongs in the section [store]" in str(error.value)
    assert ":5: limit: 2.0 is not in the range 0<=x<=1" in str(error.value)


def test_they_are_printed_section_by_section():
    values = {"names": ("a", "b"), "keep": False, "limit": 0.25}
    told = tomllib.loads(printed(keys_of(other, SECTIONS_OF_OTHER), values, Path("/")))
    assert told == {"watch": {"names": ["a", "b"]}, "store": {"limit": 0.25, "keep": False}}


def test_a_key_validates():
    with pytest.raises(ValueError, match="expected a section"):
        Key("", "x", click.Option(["--x"]))


def test_what_an_option_refuses_is_told_with_file_line_and_key(write):
    file = write('[watch]\ntiles = "17x2"\nhung-after = nan\ndark-below = nan\n'
                 '[detect]\nsmooth = "5/2"\n[store]\nkeep-days = nan\n'
                 '[camera.b]\nsource = "demo"\ntiles = "2x17"\n')  # fmt: skip
    told = [line.strip().removeprefix(f"{file}:") for line in mistakes(file).splitlines()[1:]]
    assert told == [
        "2: tiles: expected 1x1 to 16x16, got 17x2",
        "3: hung-after: expected a number, got nan",
        "4: dark-below: expected a number, got nan",
        "6: smooth: expected N/M with N more than half of M and M up to 1000, got 5/2",
        "8: keep-days: expected a number, got nan",
        "11: tiles: expected 1x1 to 16x16, got 2x17",
    ]


def test_a_file_from_an_editor_that_marks_its_encoding_is_read(tmp_path):
    file = tmp_path / "watch.toml"
    file.write_bytes(b"\xef\xbb\xbf[watch]\nthreads = 3\n")
    assert asked_of(file).params["threads"] == 3
