"""``watch`` with the options that tell others; nothing answers on the other side."""

import json
import sys

import pytest
from click.testing import CliRunner

from corrosion_edge import cli as command_line
from corrosion_edge.cli import cli
from corrosion_edge.device.secret_file import secret
from corrosion_edge.device.telling.mqtt.broker import Broker, Topics, slug
from corrosion_edge.errors import KeyFileError, UsageError


@pytest.fixture(autouse=True)
def fake_classifier(classifier):
    return classifier


def run(*arguments):
    words = ["watch", "--camera", "demo", "--frames", "1", *map(str, arguments)]
    return CliRunner().invoke(cli, words)


@pytest.fixture
def file(tmp_path):
    def write(content="geheim\n", mode=0o600):
        path = tmp_path / "a-secret"
        path.write_text(content)
        path.chmod(mode)
        return path

    return write


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--mqtt-user", "me"], "--mqtt-user: needs --mqtt URL"),
        (["--mqtt-every", "5"], "--mqtt-every: needs --mqtt URL"),
        (["--webhook-ca", "x"], "--webhook-ca: needs --webhook URL"),
        (["--deliver-from", "now"], "--deliver-from: needs --mqtt or --webhook"),
        (["--webhook", "http://a/b"], "--webhook: needs --store DIR"),
        (["--mqtt", "http://a"], "--mqtt: expected mqtt://host[:port] or mqtts://host[:port]"),
        (["--mqtt", "mqtt://a:geheim@b"], "--mqtt-user and --mqtt-password-file"),
        (["--mqtt", "mqtt://a", "--mqtt-ca", "x"], "need an address that begins with mqtts://"),
        (["--mqtt", "mqtts://a", "--mqtt-key", "x"], "--mqtt-key: needs --mqtt-cert FILE"),
        (["--mqtt", "mqtts://a", "--mqtt-ca", "/none"], "--mqtt-ca /none: no CA's certificate"),
        (["--mqtt", "mqtt://a", "--mqtt-password-file", "x"], "needs --mqtt-user NAME"),
        (["--mqtt", "mqtt://a", "--mqtt-prefix", "a/#"], "expected words joined by '/'"),
        (
            ["--mqtt", "mqtt://a", "--mqtt-discovery", "a+b"],
            "--mqtt-discovery 'a+b': expected words",
        ),
        (["--mqtt", "mqtt://h:99999"], "--mqtt: the port is none; expected a number up to 65535"),
        (["--mqtt", "mqtt://h:x"], "--mqtt: the port is none"),
        (["--mqtt", "mqtt://[h"], "--mqtt: no address"),
        (["--mqtt", "mqtt://a", "--deliver-from", "now"], "--deliver-from: needs --store DIR"),
        (["--mqtt", "mqtt://a", "--mqtt-every", "0"], "0.0 is not in the range 1<=x<=86400"),
    ],
)
def test_options_that_do_not_go_together(arguments, sentence):
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert sentence in result.stderr
    assert "geheim" not in result.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--webhook-ca", "x"], "needs an address that begins with https://"),
        (["--webhook-url-file", "x"], "give one of them"),
    ],
)
def test_options_of_a_webhook_that_do_not_go_together(arguments, sentence, tmp_path):
    result = run("--webhook", "http://a/b", "--store", tmp_path / "s", *arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr


def test_without_paho_it_says_what_to_install(monkeypatch, tmp_path):
    mine = ("paho.", "corrosion_edge.device.telling.mqtt")
    for name in [name for name in sys.modules if name.startswith(mine)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "paho", None)
    result = run("--mqtt", "mqtt://127.0.0.1:1")
    assert result.exit_code == 2
    assert "pip install 'corrosion-edge[mqtt]'" in result.stderr
    assert command_line.missing_extra(ModuleNotFoundError(name="paho.mqtt")).exit_code == 2


def test_nobody_there_changes_nothing_else(tmp_path):
    result = run("--mqtt", "mqtt://127.0.0.1:1", "--webhook", "http://127.0.0.1:1/hook/geheim",
                 "--store", tmp_path / "store", "--json", "--frames", "3")  # fmt: skip
    assert result.exit_code == 0, result.output
    frames = [line for line in map(json.loads, result.stdout.splitlines()) if "event" not in line]
    assert [frame["index"] for frame in frames] == [0, 1, 2]
    assert "webhook http://127.0.0.1:1: nobody answers there; trying again" in result.stderr
    assert "mqtt mqtt://127.0.0.1:1: nobody answers there; trying again" in result.stderr
    assert "geheim" not in result.stderr


def test_a_secret_is_the_one_line_of_its_file(file):
    assert secret(file("geheim\n"), "--x") == "geheim"
    assert secret(file(" blanks stay ", 0o640), "--x") == " blanks stay "


@pytest.mark.parametrize(
    ("content", "mode", "sentence"),
    [("geheim", 0o644, "other users may read or change it; run: chmod u=rw,g=r,o= "),
     ("geheim", 0o620, "other users may read"), ("", 0o600, "got 0 lines"),
     ("geheim\nzwei\n", 0o600, "got 2 lines"), ("\n", 0o600, "expected one line")],
)  # fmt: skip
def test_files_that_hold_no_secret(file, content, mode, sentence):
    with pytest.raises(KeyFileError, match=sentence) as caught:
        secret(file(content, mode), "--x")
    assert "geheim" not in str(caught.value)


def test_a_secret_that_is_not_there(tmp_path):
    with pytest.raises(KeyFileError, match="cannot be read"):
        secret(tmp_path, "--x")
    with pytest.raises(KeyFileError, match="No such file"):
        secret(tmp_path / "none", "--x")


@pytest.mark.parametrize(
    ("url", "found"),
    [("mqtt://host", ("host", 1883, False)), ("mqtts://host/", ("host", 8883, True)),
     ("mqtt://[::1]:99", ("::1", 99, False)), ("mqtts://10.0.0.1:1", ("10.0.0.1", 1, True))],
)  # fmt: skip
def test_addresses_of_brokers(url, found):
    assert Broker.address(url) == found


@pytest.mark.parametrize("url", ["host", "mqtt:host", "mqtt://", "mqtt://h/topic", "mqtt://h:x",
                                 "mqtt://h?x=1", "ws://h"])  # fmt: skip
def test_no_addresses_of_brokers(url):
    with pytest.raises(UsageError, match="--mqtt"):
        Broker.address(url)


@pytest.mark.parametrize(
    "prefix", ["", "/a", "a/", "a//b", "a/+/b", "#", "$SYS/a", "a\n", "a" * 201]
)
def test_prefixes_that_cannot_be(prefix):
    with pytest.raises(UsageError, match="--mqtt-prefix"):
        Topics(prefix)


def test_topics():
    topics = Topics("a/b")
    assert topics.state("/dev/video0") == "a/b/dev-video0/state"
    assert slug("://") == "unnamed"
    assert topics.client_id == Topics("a/b").client_id != Topics("a/c").client_id
    assert len(topics.client_id) == 23 and topics.client_id.isalnum()


def test_a_file_names_them_without_their_sections_name(file, tmp_path):
    file()
    config = tmp_path / "watch.toml"
    config.write_text(
        '[mqtt]\nbroker = "mqtts://broker.example"\nuser = "pi"\npassword-file = "a-secret"\n'
        'discovery = "homeassistant"\nevery = 30\n[webhook]\nurl-file = "a-secret"\n'
        '[store]\nfolder = "store"\ndeliver-from = "beginning"\n'
    )
    result = CliRunner().invoke(cli, ["watch", "--config", str(config), "--print-config"])
    assert result.exit_code == 0, result.output
    assert 'broker = "mqtts://broker.example"' in result.stdout
    assert f'password-file = "{tmp_path}/a-secret"' in result.stdout
    assert f'url-file = "{tmp_path}/a-secret"' in result.stdout
    assert 'deliver-from = "beginning"' in result.stdout
    assert "geheim" not in result.output
