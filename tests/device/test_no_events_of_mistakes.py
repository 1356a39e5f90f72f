"""A mistake that is found only where something is opened leaves no event in the store."""

import socket
from functools import partial

import commands
import pytest

run = partial(commands.run, "watch", "--camera", "demo", "--frames", "1")


@pytest.fixture(autouse=True)
def fake_classifier(classifier):
    return classifier


@pytest.fixture
def taken():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        yield one.getsockname()[1]


def test_of_a_port_that_is_taken(taken, tmp_path):
    result = run("--store", tmp_path / "store", "--web", f"127.0.0.1:{taken}")
    assert result.exit_code == 1
    assert "is the port taken?" in result.stderr
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("--webhook", "http://x/", "--webhook-ca", "/none"),
        ("--mqtt", "mqtts://x", "--mqtt-ca", "/none"),
        ("--gpio", "17", "--interval", "90"),
    ],
)
def test_of_what_needs_a_file_or_a_camera(words, tmp_path):
    result = run("--store", tmp_path / "store", *words)
    assert result.exit_code == 2, result.output
    assert not (tmp_path / "store").exists()


def test_a_store_that_cannot_be_opened_closes_what_was_opened_before_it(taken, tmp_path):
    (tmp_path / "store").write_text("")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for _ in range(2):
        result = run("--store", tmp_path / "store", "--web", f"127.0.0.1:{port}")
        assert result.exit_code == 1
        assert "is the port taken?" not in result.stderr
