"""What the page and a monitor are told while a watch's accelerator is away."""

import json
import socket
import time
import urllib.error
import urllib.request

import pytest
from watching import event, verdict, watching

pytest.importorskip("uvicorn", reason="the extra web is not installed")


@pytest.fixture
def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def ask(port, path):
    """Status and text of an answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def healthz_until(port, status):
    """What is printed reaches the page a moment later."""
    end = time.monotonic() + 30
    while (answer := ask(port, "/healthz"))[0] != status:
        assert time.monotonic() < end, answer
        time.sleep(0.02)
    return answer[1]


def state_until(port, word):
    """The state, once it says that of the camera; the backend is known a moment before."""
    end = time.monotonic() + 30
    while (state := json.loads(ask(port, "/api/state")[1]))["cameras"][0]["word"] != word:
        assert time.monotonic() < end, state
        time.sleep(0.02)
    return state


def test_lost_and_back(words, device, live, port):
    with watching(*words, *live, "--web", f"127.0.0.1:{port}") as watch:
        watch.until(2, verdict)
        assert ask(port, "/healthz")[0] == 200
        device.unplug()
        watch.until(1, event("lost"))
        assert "is away: " in healthz_until(port, 503)
        state = state_until(port, "away")
        assert (state["runs"]["backend"], state["cameras"][0]["word"]) == ("nothing", "away")
        assert "corrosion_edge_accelerator_up 0.0" in ask(port, "/metrics")[1]
        device.does("ok")
        watch.until(1, event("recovered"))
        healthz_until(port, 200)
        assert "corrosion_edge_accelerator_up 1.0" in ask(port, "/metrics")[1]
        watch.end()


def test_stood_in_for_from_the_start(words, device, live, port):
    device.unplug()
    with watching(*words, *live, "--web", f"127.0.0.1:{port}", "--fallback", "cpu") as watch:
        watch.until(2, verdict)
        status, told = ask(port, "/healthz")
        runs = json.loads(ask(port, "/api/state")[1])["runs"]
        watch.end()
    assert status == 200
    assert "the CPU answers in place of the Edge TPU, through libfake.so: " in told
    assert (runs["word"], runs["stand_in"]) == ("CPU in place of the Edge TPU", True)
