"""The hosts of a configuration: looked up and called, with no secret told."""

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from corrosion_edge.cli import cli
from corrosion_edge.device.doctor import examine as module
from corrosion_edge.device.doctor.reach import Endpoint, endpoints, reached


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def ask(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "examine", lambda host: [])

    def asked(text):
        (tmp_path / "watch.toml").write_text(text)
        config = str(tmp_path / "watch.toml")
        return CliRunner().invoke(cli, ["doctor", "--config", config, "--patience", "5"])

    return asked


def test_each_host_has_a_line_and_no_secret_is_told(ask, listening, closed, tmp_path):
    (tmp_path / "url").write_text(f"http://127.0.0.1:{closed}/hooks/hush\n")
    (tmp_path / "url").chmod(0o600)
    result = ask(f"""
[mqtt]
broker = "mqtt://127.0.0.1:{listening}"
[store]
folder = "store"
[webhook]
url-file = "url"
[camera.gate]
source = "rtsp://ann:hush@no-such-host.invalid/stream?token=hush"
[camera.deck]
source = "/dev/video0"
""")
    lines = " ".join(result.output.split())
    assert f"broker: 127.0.0.1 is 127.0.0.1, and answers at port {listening}" in lines
    assert f"webhook: 127.0.0.1 is 127.0.0.1; port {closed}: nobody answers there" in lines
    assert "camera gate: no-such-host.invalid: the name no-such-host.invalid is not known" in lines
    assert "getent hosts no-such-host.invalid" in lines
    assert "camera deck: /dev/video0 is not there" in lines or Path("/dev/video0").exists()
    assert "hush" not in result.output
    assert result.exit_code == 1  # a camera that is not to be had


def test_a_broker_that_does_not_answer_is_no_problem_but_a_warning(ask, closed):
    result = ask(f'[mqtt]\nbroker = "mqtt://127.0.0.1:{closed}"\n')
    assert result.exit_code == 0
    assert "warning" in result.output


def test_nothing_to_call_and_nothing_sound(ask):
    assert "names no host" in ask("[watch]\njson = true\n").output
    assert ask("[mqtt]\nbrocker = 1\n").exit_code == 2


def test_a_host_of_several_addresses_answers_at_any_of_them(monkeypatch, listening):
    """As localhost: ::1 first, where only an older server's 127.0.0.1 listens."""
    both = [(0, 0, 0, "", ("::1", listening)), (0, 0, 0, "", ("127.0.0.1", listening))]
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *a, **k: both if a[0] == "broker.example" else real(*a, **k)
    )
    (found,) = reached([Endpoint("broker", "broker.example", listening)], 5)
    assert found.found == (f"broker: broker.example is 127.0.0.1, and answers at port {listening}")


def test_a_name_server_that_does_not_answer(monkeypatch):
    import threading

    held = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: [held.wait(30)][:0])
    values = {"mqtt": "mqtt://broker.example", "webhook": (), "webhook_url_file": ()}
    (found,) = reached(list(endpoints(values, {})), 0.1)
    held.set()
    assert found.found == "broker: broker.example was not looked up within 0.1 s"
