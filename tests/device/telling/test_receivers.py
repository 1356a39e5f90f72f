"""Several webhooks: each has its name, its options, its place, and its own troubles."""

import hashlib
import hmac
import json
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from corrosion_edge.cli import cli
from corrosion_edge.device.store import Reader
from corrosion_edge.device.telling.ledger import Ledger
from corrosion_edge.device.telling.webhook import SIGNATURE
from corrosion_edge.device.telling.webhook_sink import WebhookSink


@pytest.fixture(autouse=True)
def fake_classifier(classifier):
    return classifier


class Receiver:
    """An HTTP server that keeps what it gets, or answers with another ``status``."""

    def __init__(self, status=200):
        self.got, self.heads = [], []
        mine = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                mine.got.append(json.loads(body))
                mine.heads.append((dict(self.headers), body))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def receivers():
    made = []

    def make(*statuses):
        made.extend(Receiver(status) for status in statuses)
        return made

    yield make
    for each in made:
        each.server.shutdown()
        each.server.server_close()


def run(*arguments):
    words = ["watch", "--camera", "demo", "--frames", "2", *map(str, arguments)]
    return CliRunner().invoke(cli, words)


def secret(path, content):
    path.write_text(content)
    path.chmod(0o600)
    return path


def test_each_gets_every_event_and_has_its_place(receivers, tmp_path):
    first, second = receivers(200, 200)
    store = tmp_path / "ev"
    result = run("--store", store, "--webhook", first.url, "--webhook", f"ops={second.url}")
    assert result.exit_code == 0, result.output
    with Reader(store) as reader:
        uuids = [event.fields["uuid"] for event in reader.events()]
    for each in (first, second):
        assert [event["uuid"] for event in each.got] == uuids
    with Ledger(store, reading=True) as ledger:
        assert {name: place.sequence for name, place in ledger.consumers().items()} == {
            "webhook": len(uuids), "webhook ops": len(uuids),
        }  # fmt: skip


def test_one_that_is_away_holds_up_no_other(receivers, tmp_path):
    well, ill = receivers(200, 503)
    store = tmp_path / "ev"
    result = run("--store", store, "--webhook", f"ill={ill.url}", "--webhook", f"well={well.url}")
    assert result.exit_code == 0, result.output
    place = ill.url.removesuffix("/hook")
    assert f"warning: webhook ill ({place}): " in result.stderr
    assert "webhook well" not in result.stderr
    told = CliRunner().invoke(cli, ["events", "deliveries", str(store)]).output
    assert "webhook ill: up to event 0 of 2; 2 waiting, 0 set aside\n" in told
    assert "webhook well: up to event 2 of 2; 0 waiting, 0 set aside\n" in told


def test_secrets_go_to_the_one_that_they_are_for(receivers, tmp_path):
    first, second = receivers(200, 200)
    key = secret(tmp_path / "key", "geheim\n")
    auth, url = secret(tmp_path / "auth", "Bearer x\n"), secret(tmp_path / "url", second.url)
    result = run("--store", tmp_path / "ev", "--webhook", first.url, "--webhook-url-file",
                 f"ops={url}", "--webhook-secret-file", f"ops={key}",
                 "--webhook-auth-file", auth)  # fmt: skip
    assert result.exit_code == 0, result.output
    (plain, _), (signed, body) = first.heads[0], second.heads[0]
    expected = hmac.new(b"geheim", body, hashlib.sha256).hexdigest()
    assert signed[SIGNATURE] == f"sha256={expected}"
    assert SIGNATURE not in plain
    assert (plain["Authorization"], "Authorization" in signed) == ("Bearer x", False)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--webhook", "http://b"], "--webhook: two are without a name; put one before each but"),
        (["--webhook", "x=http://b", "--webhook", "x=http://c"], "--webhook: x is named twice"),
        (["--webhook", "x=ftp://geheim"], "--webhook x=…: expected an address such as https://"),
        (["--webhook-ca", "x=/ca"], "--webhook-ca: no webhook is called x; none has a name"),
        (["--webhook-url-file", "f"], "--webhook, --webhook-url-file: give one of them; each"),
        (["--webhook", "x=http://b", "--webhook-ca", "x=f"], "--webhook-ca x=…: needs an address"),
        (
            ["--webhook", "x=https://b", "--webhook-ca", "y=f"],
            "no webhook is called y; there are x",
        ),
    ],
)
def test_what_cannot_be_told_apart_is_refused(arguments, sentence, tmp_path):
    result = run("--webhook", "http://a", *arguments, "--store", tmp_path / "s")
    assert result.exit_code == 2, result.output
    assert sentence in result.stderr
    assert "geheim" not in result.output


def test_a_secret_without_a_name_is_for_none_of_several(tmp_path):
    result = run("--webhook", "x=http://a", "--webhook-secret-file", "f", "--store", tmp_path / "s")
    assert result.exit_code == 2
    assert "--webhook-secret-file: which webhook is it for? Put its name before it" in result.stderr


def test_a_file_has_them_as_a_list_and_reads_back(tmp_path):
    (tmp_path / "watch.toml").write_text("""
[webhook]
url = ["https://a.example/x", "ops=https://b.example/y"]
secret-file = "ops=keys/ops"
[store]
folder = "events"
""")
    printed = run("--config", tmp_path / "watch.toml", "--print-config")
    assert printed.exit_code == 0, printed.output
    assert 'url = ["https://a.example/x", "ops=https://b.example/y"]\n' in printed.stdout
    assert f'secret-file = "ops={tmp_path}/keys/ops"\n' in printed.stdout
    (tmp_path / "again.toml").write_text(printed.stdout)
    again = run("--config", tmp_path / "again.toml", "--print-config")
    assert again.stdout == printed.stdout
    asked = CliRunner().invoke(cli, ["doctor", "--config", str(tmp_path / "watch.toml"),
                                     "--patience", "0.1"]).output  # fmt: skip
    assert "webhook: a.example" in asked
    assert "webhook ops: b.example" in asked


class Deliveries:
    """What is asked of several of them, in order."""

    def __init__(self):
        self.asked = []

    def one(self, name):
        does = {verb: partial(self.asked.append, (verb, name))
                for verb in ("start", "finish", "close")}  # fmt: skip
        return SimpleNamespace(**does)


def test_at_the_end_all_have_the_same_seconds():
    many = Deliveries()
    sink = WebhookSink([many.one("a"), many.one("b")])
    with sink:
        pass
    sink.close()
    assert many.asked == [(verb, name) for verb in ("start", "finish", "close") for name in "ab"]
