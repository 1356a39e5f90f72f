"""``corrosion-edge watch --web --metrics`` from the outside."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest
from click.testing import CliRunner

from corrosion_edge.bundle import DEFAULT_MODEL
from corrosion_edge.cli import cli

has_model = pytest.mark.skipif(
    not DEFAULT_MODEL.exists(), reason="the package carries no default model yet"
)
PROGRAM = "from corrosion_edge.cli import main; main()"


def run(*arguments):
    return CliRunner().invoke(cli, ["watch", "--camera", "demo", "--frames", "2", *arguments])


def get(address, path="", token=""):
    head = {"Authorization": f"Bearer {token}"} if token else {}
    with urllib.request.urlopen(urllib.request.Request(address + path, headers=head)) as answer:
        return answer.read()


@pytest.fixture
def watch():
    started = []

    def start(*words, before=""):
        command = [sys.executable, "-c", before + PROGRAM, "watch", "--camera", "demo", "--json",
                   "--interval", "0.2", "--threads", "1", *words]  # fmt: skip
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def address_of(process, what):
    while line := process.stderr.readline():
        if found := re.fullmatch(rf"{what} at (http://\S+)\n", line):
            return found[1]
    raise AssertionError(f"no {what}")


@has_model
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_watch_with_everything(watch, tmp_path, sent):
    process = watch("--web", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--store", tmp_path / "ev")
    page, metrics = address_of(process, "page"), address_of(process, "metrics")
    assert json.loads(process.stdout.readline())["event"] == "started"
    for _ in range(3):
        printed = json.loads(process.stdout.readline())
    index = -1
    while index < printed["index"]:  # what is printed reaches the page a moment later
        state = json.loads(get(page, "api/state"))
        (camera,) = state["cameras"]
        index = camera["shot"]["index"] if camera["shot"] else -1
    assert sum(camera["outcomes"].values()) >= 3
    assert state["about"]["threshold"] == printed["threshold"]
    assert state["events"] >= 1
    name = urllib.request.quote(camera["name"], safe="")
    assert get(page, f"cameras/{name}/snapshot.jpg").startswith(b"\xff\xd8")
    assert b"corrosion_edge_frames_total" in get(metrics)
    stream = urllib.request.urlopen(f"{page}cameras/{name}/stream.mjpg")
    assert stream.read(100)
    process.send_signal(sent)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 0, told
    assert "ended on request" in told
    assert "Traceback" not in told


@has_model
def test_no_word_of_the_token_gets_out(watch, tmp_path):
    file = tmp_path / "token"
    file.write_text("a-secret-of-this-test")
    file.chmod(0o600)
    process = watch("--web", "0.0.0.0:0", "--web-token-file", file)
    page = address_of(process, "page").replace("0.0.0.0", "127.0.0.1")
    assert json.loads(get(page, "api/state", "a-secret-of-this-test"))["cameras"]
    with pytest.raises(urllib.error.HTTPError, match="401"):
        get(page, "api/state")
    process.send_signal(signal.SIGTERM)
    out, told = process.communicate(timeout=30)
    assert "a-secret" not in out + told
    printed = run("--web", "0.0.0.0:0", "--web-token-file", str(file), "--print-config").output
    assert f'token-file = "{file}"' in printed
    assert "a-secret" not in printed


def test_a_flag_or_a_place():
    told = run("--web", "--metrics", "--print-config").stdout
    assert 'page = "127.0.0.1:8080"' in told
    assert 'metrics = "127.0.0.1:9464"' in told
    assert 'page = "[::1]:1"' in run("--web", "[::1]:1", "--print-config").stdout


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [(["--web", "here"], 2, "expected HOST:PORT such as 127.0.0.1:8080, got 'here'"),
     (["--web", "0.0.0.0:0"], 2, "it needs a token: --web-token-file FILE"),
     (["--metrics", "[::]:0"], 2, "--metrics [::]:0: others than this machine"),
     (["--web-token-file", "x"], 2, "needs --web or --metrics"),
     (["--web", "127.0.0.1:0", "--web-token-file", "/none"], 2, "/none: cannot be read")],
)  # fmt: skip
def test_mistakes(classifier, words, code, told):
    result = run(*words)
    assert result.exit_code == code, result.output
    assert told in result.stderr
    assert "Traceback" not in result.stderr


def test_a_port_in_use(classifier):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = run("--web", f"127.0.0.1:{taken.getsockname()[1]}")
    assert result.exit_code == 1
    assert "Address already in use" in result.stderr
    assert "Name another with --web" in result.stderr


def test_one_place_for_both_is_one_server(classifier):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    result = run("--web", place, "--metrics", place)
    assert result.exit_code == 0, result.output
    assert f"page at http://{place}/" in result.stderr
    assert "metrics at" not in result.stderr


def bar(*packages):
    return f"import sys\nfor name in {packages!r}: sys.modules[name] = None\n"


def ran(before, *words):
    command = [sys.executable, "-c", before + PROGRAM, "watch", "--camera", "demo", "--frames", "1"]
    return subprocess.run([*command, *words], capture_output=True, text=True)


@has_model
@pytest.mark.parametrize("package", ["starlette", "uvicorn", "prometheus_client"])
def test_a_missing_package_names_its_extra(package):
    done = ran(bar(package), "--web", "127.0.0.1:0")
    assert done.returncode == 2
    last = done.stderr.strip().splitlines()[-1]
    assert last == (
        f"Error: --web: the package '{package}' is not installed; "
        "run: pip install 'corrosion-edge[web]'"
    )


@has_model
def test_without_the_page_nothing_of_it_is_imported():
    done = ran(bar("starlette", "uvicorn", "prometheus_client", "anyio", "h11"))
    assert done.returncode == 0, done.stderr


def test_the_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom corrosion_edge.device.cli import watch\n"
        "assert not {'uvicorn', 'starlette', 'asyncio', 'numpy', 'jinja2'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          env=dict(os.environ))  # fmt: skip
    assert done.returncode == 0, done.stderr
