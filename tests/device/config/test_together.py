"""Options that cannot be together: found before anything is opened, all at once, by line."""

import json
import subprocess
import sys
from functools import partial

import commands
import pytest
from click.testing import CliRunner

from corrosion_edge.cli import cli
from corrosion_edge.device.swap import Models

run = partial(commands.run, "watch")

FILE = """\
[watch]
interval = -1
[mqtt]
broker = "nosuch"
key = "k.pem"
prefix = "a/#"
[web]
page = "0.0.0.0:8080"
[webhook]
url = "ftp://x/"
[gpio]
pulse = 0.5
[accelerator]
kind = "cpu"
delegate = "/nope.so"
"""

LINES = [
    "2: interval: expected 0 seconds or more, got -1.0",
    "4: broker: expected mqtt://host[:port] or mqtts://host[:port]",
    "5: key: needs --mqtt-cert FILE",
    "6: prefix 'a/#': expected words joined by '/', without + or #",
    "8: page 0.0.0.0:8080: others than this machine can reach it, so it needs a token: "
    "--web-token-file FILE",
    "10: url: expected an address such as https://host/path",
    "10: url: needs --store DIR, as what it sends are stored events",
    "12: pulse: needs a pin, such as --gpio 17",
    "15: delegate: needs an accelerator, not --accelerator cpu",
]


@pytest.fixture(autouse=True)
def no_model(monkeypatch):
    """Whatever is wrong with options is found before a model is opened."""

    def opened(*_, **__):
        raise AssertionError("a model was opened")

    monkeypatch.setattr(Models, "opened", opened)


@pytest.mark.parametrize("words", [(), ("--print-config",)])
def test_all_mistakes_of_a_file_at_once_each_with_its_line(write, words):
    file = write(FILE)
    result = run("--config", file, *words)
    assert result.exit_code == 2
    assert result.stdout == ""
    first, *others = result.stderr.splitlines()
    assert first == f"Error: {file}: {len(LINES)} mistakes"
    assert [line.strip().removeprefix(f"{file}:") for line in others] == LINES


def test_several_mistakes_of_one_kind_too(write):
    file = write(
        '[store]\nfolder = "store"\n[webhook]\nurl = ["ftp://x/", "ops=http://:1/", "ops=https://y/"]\n'
        'ca = ["away=f", "gone=f"]\n[mqtt]\nbroker = "mqtt://x"\nkey = "k"\nca = "c"\n'
        'password-file = "p"\n'
    )
    result = run("--config", file, "--print-config")
    assert (result.exit_code, result.stdout) == (2, "")
    assert [line.strip().removeprefix(f"{file}:") for line in result.stderr.splitlines()[1:]] == [
        "4: url ops=…: expected an address such as https://host/path",
        "4: url: expected an address such as https://host/path",
        "4: url: ops is named twice",
        "5: ca: no webhook is called away; there are ops",
        "5: ca: no webhook is called gone; there are ops",
        "8: key: needs --mqtt-cert FILE",
        "9: ca, --mqtt-cert: need an address that begins with mqtts://",
        "10: password-file: needs --mqtt-user NAME",
    ]


def test_two_bad_webhooks_of_the_command_line(tmp_path):
    told = run("--store", tmp_path, "--webhook", "ftp://x/", "--webhook", "b=nosuch").stderr
    assert told == (
        "Error: 2 mistakes\n"
        "  --webhook: expected an address such as https://host/path\n"
        "  --webhook b=…: expected an address such as https://host/path\n"
    )


def test_the_command_line_mends_a_file_and_is_told_apart_from_it(write, tmp_path):
    file = write('[web]\npage = "0.0.0.0:8080"\n')
    result = run("--config", file, "--web-token-file", tmp_path, "--print-config")
    assert result.exit_code == 0, result.output
    result = run("--config", file, "--web", "127.0.0.1:0", "--print-config")
    assert result.exit_code == 0, result.output
    result = run("--config", write("[watch]\nframes = 1\n"), "--mqtt", "nosuch", "--print-config")
    assert result.stderr.startswith("Error: --mqtt: expected ")
    result = run("--config", file, "--frames", "x")
    assert "'x' is not a valid integer" in result.stderr or "--web-token-file" in result.stderr


def test_a_value_of_the_wrong_type_has_no_further_mistakes(write):
    told = run("--config", write('[mqtt]\nbroker = 3\nuser = "me"\n')).stderr
    assert "broker: expected string, got 3" in told
    assert "needs --mqtt URL" not in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--mqtt", "nosuch"), "--mqtt: expected mqtt://host"),
        (("--webhook", "ftp://x/"), "--webhook: expected an address"),
        (("--web", "0.0.0.0:80"), "--web 0.0.0.0:80: others than this machine"),
        (("--metrics", "[::]:80"), "--metrics [::]:80: others than this machine"),
        (("--web-token-file", "x"), "--web-token-file: needs --web or --metrics"),
        (("--gpio-active", "low"), "--gpio-active: needs a pin"),
        (("--webhook", "http://x/", "--webhook-ca", "b=f"), "--webhook-ca: no webhook is called b"),
        (("--mqtt", "mqtt://x", "--mqtt-discovery", "a+b"), "--mqtt-discovery 'a+b': expected"),
        (("--webhook", "b=ftp://x/"), "--webhook b=…: expected an address"),
        (("--deliver-from", "now"), "--deliver-from: needs --mqtt or --webhook"),
        (("--mqtt", "mqtt://x", "--mqtt-user", "a", "--mqtt-password-file", "/none"),
         "--mqtt-password-file /none: cannot be read"),
        (("--web", "--web-token-file", "/none"), "/none: cannot be read"),
        (("--accelerator-device", "tpu"), "--accelerator-device: expected usb"),
    ],
)  # fmt: skip
def test_no_model_and_no_store_is_opened_for_a_mistake(tmp_path, words, told):
    result = run("--camera", "demo", "--frames", "1", "--store", tmp_path / "store", *words)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {told}")
    assert not (tmp_path / "store").exists()


def test_several_mistakes_of_the_command_line(tmp_path):
    told = run("--mqtt", "nosuch", "--web", "0.0.0.0:80", "--keep-days", "3").stderr
    assert told.splitlines()[0] == "Error: 3 mistakes"
    assert "\n  --keep-days: needs --store DIR\n" in told


def test_what_is_found_later_is_told_with_its_line_too(write, tmp_path, monkeypatch):
    file = write('[watch]\ncamera = "demo"\n[mqtt]\nbroker = "mqtt://x"\nuser = "me"\n'
                 'password-file = "none"\n')  # fmt: skip
    result = run("--config", file)
    assert result.exit_code == 2
    assert result.stderr.startswith(
        f"Error: {file}:6: password-file {tmp_path}/none: cannot be read"
    )


def test_checking_imports_nothing_that_starts_threads(write):
    program = (
        "import json, sys\n"
        "from corrosion_edge.cli import cli\n"
        "cli(sys.argv[1:], standalone_mode=False)\n"
        "print(json.dumps(sorted({'numpy', 'paho', 'uvicorn', 'gpiozero'} & set(sys.modules))))\n"
    )
    file = write('[store]\nfolder = "s"\n[mqtt]\nbroker = "mqtt://x"\n[web]\npage = "127.0.0.1:0"\n'
                 '[webhook]\nurl = "http://x/"\n[gpio]\ncorrosion = "17"\n')  # fmt: skip
    words = [sys.executable, "-c", program, "watch", "--config", str(file), "--print-config"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_the_help_still_comes(write):
    assert CliRunner().invoke(cli, ["watch", "--help"]).exit_code == 0
