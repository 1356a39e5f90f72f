"""The page over real sockets: what it answers, to whom, and how much of it."""

import io
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from clockless import DAY, ROUNDING, Machine
from losable import Losable, Named
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from corrosion_edge.device.events.event import Happening, Scene
from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.heap import look
from corrosion_edge.device.store import Keeper, Store
from corrosion_edge.device.store.store import Entry
from corrosion_edge.device.web import server
from corrosion_edge.device.web.app import BOUNDARY
from corrosion_edge.device.web.pictures import LONGEST
from corrosion_edge.prediction import Prediction

TOKEN = "a-token-of-these-tests"
NASTY = "<script>alert('1')</script>/\"&é"
PATHS = ["/", "/api/state", "/api/scores", "/api/events", "/events", "/healthz", "/metrics",
         "/cameras/deck/snapshot.jpg", "/cameras/deck/stream.mjpg", "/events/1/map.jpg",
         "/assets/page.js", "/nothing"]  # fmt: skip


def state(served):
    return json.loads(served.ask("/api/state").content)


def test_the_state(serve, verdict):
    served = serve()
    served.live.take(verdict(0.9))
    told = state(served)
    camera = told["cameras"][0]
    assert (camera["name"], camera["word"], camera["dropped"]) == ("deck", "corrosion", 3)
    assert camera["shot"]["score"] == 0.9
    assert camera["latency_s"] == {"p50": 0.005, "p95": 0.005}
    assert told["about"]["model"] == "fake model"
    assert told["about"]["backend"] == "fake backend"
    assert told["events"] is None
    assert told["healthy"]


def test_a_picture_is_made_once_for_all_and_only_when_asked_for(serve, verdict):
    served = serve()
    for index in range(20):
        served.live.take(verdict(0.9, index=index, size=(1920, 1080)))
    assert served.app.encoder.encoded == 0
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(served.ask, ["/cameras/deck/snapshot.jpg"] * 8))
    assert [answer.status for answer in answers] == [200] * 8
    assert (served.app.encoder.asked, served.app.encoder.encoded) == (8, 1)
    with Image.open(io.BytesIO(answers[0].content)) as picture:
        assert picture.size == (LONGEST, 540)
    assert answers[0].headers["X-Serial"] == "20"


def test_with_and_without_the_map(serve, verdict):
    served = serve()
    served.live.take(verdict(0.9))
    pictures = [served.ask(f"/cameras/deck/snapshot.jpg?kind={kind}").content
                for kind in ("map", "plain")]  # fmt: skip
    means = [np.asarray(Image.open(io.BytesIO(each))).mean() for each in pictures]
    assert abs(means[0] - means[1]) > 5
    assert served.ask("/cameras/deck/snapshot.jpg?kind=other").status == 400


def test_names_are_escaped_and_found_again(serve, verdict):
    served = serve((NASTY,))
    served.live.take(verdict(0.9))
    text = served.ask("/").content.decode()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(" in text
    assert served.ask(f"/cameras/{quote(NASTY, safe='')}/snapshot.jpg").status == 200
    samples = {s.labels["camera"] for family in families(served) for s in family.samples
               if "camera" in s.labels}  # fmt: skip
    assert samples == {NASTY}


def test_no_frame_yet_and_no_such_thing(serve):
    served = serve()
    answer = served.ask("/cameras/deck/snapshot.jpg")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    for path in ("/cameras/pole/snapshot.jpg", "/cameras/pole/stream.mjpg", "/events/1/map.jpg",
                 "/assets/..%2fapp.py", "/assets/none", "/api/scores?camera=pole"):  # fmt: skip
        assert served.ask(path).status == 404, path
    assert served.ask("/api/scores?seconds=-1").status == 400
    assert served.ask("/api/events?after=1e9").status == 400


def test_the_scores(serve, verdict):
    served = serve()
    served.live.take(verdict(0.25))
    served.live.take(verdict(0.75))
    told = json.loads(served.ask("/api/scores?seconds=600").content)
    assert (min(told["low"]), max(told["high"]), told["threshold"]) == (0.25, 0.75, 0.5)
    assert abs(told["at"][-1] - time.time()) < 60


def test_events_with_pictures(serve, tmp_path):
    pixels = np.full((48, 64, 3), 90, np.uint8)
    scene = Scene(pixels, Prediction(0.9, 0.5, np.full((7, 7), 9, np.float32)))
    with Keeper(Store(tmp_path / "ev")) as keeper:
        served = serve(store=tmp_path / "ev")
        nothing = {"stored": True, "events": [], "last": 0, "chain": None}
        assert json.loads(served.ask("/api/events").content) == nothing
        for number in range(60):
            keeper.append(Happening(kind="corrosion_began", at=Stamp.now(), camera="deck",
                                    scene=scene if number == 59 else None))  # fmt: skip
        assert state(served)["events"] == 60
        newest = json.loads(served.ask("/api/events?count=3").content)["events"]
        assert [event["sequence"] for event in newest] == [60, 59, 58]
        assert [event["pictures"] for event in newest] == [["plain", "map"], [], []]
        after = json.loads(served.ask("/api/events?after=5").content)["events"]
        assert [event["sequence"] for event in after] == list(range(6, 56))
        rest = json.loads(served.ask("/api/events?after=55").content)["events"]
        assert [event["sequence"] for event in rest] == [56, 57, 58, 59, 60]
    answer = served.ask("/events/60/map.jpg")
    assert answer.content.startswith(b"\xff\xd8")
    assert "immutable" in answer.headers["Cache-Control"]
    assert served.ask("/events/59/map.jpg").status == 404
    assert served.ask("/events/60/..%2f..%2fevents.jpg").status == 404


def test_events_have_their_corrected_times(serve, tmp_path):
    machine = Machine(error=-365 * DAY)
    machine.put("started")
    with Store(tmp_path / "ev") as store:
        served = serve(store=tmp_path / "ev")
        store.append(Entry(machine.rows[0]))

        def told():
            return json.loads(served.ask("/api/events").content)["events"]

        assert [event["corrected_at"] for event in told()] == [None]
        machine.age = 60.0
        machine.set()
        store.append(Entry(machine.rows[1]))
        newest, first = told()
    assert (newest["kind"], newest["corrected_at"]) == ("clock_set", None)
    assert first["at"] == machine.rows[0]["at"]
    known = datetime.fromisoformat(first["corrected_at"])
    assert abs(known - machine.truth[0]) <= ROUNDING


def test_healthz(serve, verdict, clock):
    served = serve(clock=clock)
    assert served.ask("/healthz").status == 200
    clock.now += 61
    assert served.ask("/healthz").status == 503
    served.live.take(verdict())
    assert served.ask("/healthz").status == 200


def families(served, path="/metrics"):
    return list(text_string_to_metric_families(served.ask(path).content.decode()))


def test_the_metrics(serve, verdict, dark):
    served = serve(metrics_only=True)
    served.live.take(verdict(0.9, ms=3.0))
    served.live.take(verdict(0.25, ms=30.0))
    served.live.take(dark)
    found = families(served)
    samples = {(s.name, *sorted(s.labels.items())): s.value for f in found for s in f.samples}
    deck = ("camera", "deck")
    assert samples["corrosion_edge_frames_total", deck, ("outcome", "no_corrosion")] == 1
    assert samples["corrosion_edge_frames_total", deck, ("outcome", "unusable")] == 1
    assert samples["corrosion_edge_frames_dropped_total", deck] == 3
    assert samples["corrosion_edge_camera_up", deck] == 1
    assert samples["corrosion_edge_latency_seconds_count", deck] == 2
    assert samples["corrosion_edge_latency_seconds_sum", deck] == pytest.approx(0.033)
    assert samples["corrosion_edge_latency_seconds_bucket", deck, ("le", "0.005")] == 1
    assert ("corrosion_edge_score", deck) not in samples  # the newest frame has none
    assert samples["process_open_fds",] > 0
    if look() is not None:
        assert samples["corrosion_edge_heap_bytes", ("state", "used")] > 2**20
    info = next(s.labels for f in found for s in f.samples if s.name == "corrosion_edge_build_info")
    assert info["backend"] == "fake backend"
    assert len(info["model_sha256"]) == 64
    assert all(f.documentation for f in found)
    assert all(f.name.endswith("_total") or f.type != "counter"
               or f.name + "_total" in {s.name for s in f.samples} for f in found)  # fmt: skip
    assert served.ask("/").status == 404
    assert served.ask("/api/state").status == 404


@pytest.fixture
def on_edge_tpu(serve, verdict):
    """A page of a watch on a losable accelerator, with a verdict; what stands in, if anything."""

    def started(spare=None, **how):
        losable = Losable(Named("tpu"), spare)
        served = serve(backend=losable.backend, **how)
        served.live.take(verdict(0.9))
        return served, losable

    return started


def told(served, states):
    for each in states:
        served.live.take(each)


def test_while_all_is_well_it_says_what_it_runs_on(on_edge_tpu, serve):
    served, _ = on_edge_tpu()
    runs = state(served)["runs"]
    assert (runs["word"], runs["backend"], runs["stand_in"]) == ("Edge TPU", "edgetpu", False)
    assert runs["accelerator"] == {"name": "Edge TPU", "up": True, "reason": "", "since": None,
                                   "failures": 0}  # fmt: skip


def test_without_an_accelerator_there_is_none_to_lose(serve):
    runs = state(serve())["runs"]
    assert runs == {"word": "CPU", "backend": "cpu", "runs_on": "fake backend", "stand_in": False,
                    "accelerator": None}  # fmt: skip


def test_a_lost_accelerator_is_told_everywhere_and_at_once(on_edge_tpu):
    served, losable = on_edge_tpu()
    assert served.ask("/healthz").status == 200
    told(served, losable.lose())
    answer = served.ask("/healthz")
    assert answer.status == 503
    assert answer.content == b"the Edge TPU is away: the fake backend was told to fail\n"
    said = state(served)
    assert (said["healthy"], said["trouble"]) == (False, answer.content.decode().strip())
    assert (said["runs"]["word"], said["runs"]["backend"]) == ("nothing", "nothing")
    assert said["runs"]["accelerator"]["since"]
    assert said["cameras"][0]["word"] == "away"
    assert gauges(served) == {"healthy": 0, "accelerator_up": 0, "accelerator_failures_total": 1,
                              "cpu": 0, "edgetpu": 0, "nothing": 1}  # fmt: skip
    told(served, losable.come_back())
    assert served.ask("/healthz").status == 200
    assert state(served)["cameras"][0]["word"] == "starting"
    assert state(served)["runs"]["accelerator"]["reason"] == ""
    assert gauges(served) == {"healthy": 1, "accelerator_up": 1, "accelerator_failures_total": 1,
                              "cpu": 0, "edgetpu": 1, "nothing": 0}  # fmt: skip


def test_a_stand_in_is_healthy_and_told_everywhere(on_edge_tpu, verdict):
    served, losable = on_edge_tpu(lambda: Named("LiteRT, in place of the Edge TPU"))
    told(served, losable.lose())
    answer = served.ask("/healthz")
    assert answer.status == 200
    assert b"the CPU answers in place of the Edge TPU: the fake backend was told" in answer.content
    runs = state(served)["runs"]
    assert (runs["word"], runs["backend"]) == ("CPU in place of the Edge TPU", "cpu")
    assert (runs["stand_in"], runs["runs_on"]) == (True, "LiteRT, in place of the Edge TPU")
    assert state(served)["cameras"][0]["word"] == "corrosion"
    assert gauges(served) == {"healthy": 1, "accelerator_up": 0, "accelerator_failures_total": 1,
                              "cpu": 1, "edgetpu": 0, "nothing": 0}  # fmt: skip


def gauges(served):
    """What the metrics say of the accelerator, by the end of the name or the backend."""
    samples = [s for f in families(served) for s in f.samples]
    wanted = ("healthy", "accelerator_up", "accelerator_failures_total")
    return {s.labels.get("backend") or s.name.removeprefix("corrosion_edge_"): s.value
            for s in samples if s.name == "corrosion_edge_backend"
            or s.name.removeprefix("corrosion_edge_") in wanted}  # fmt: skip


def test_only_names_of_this_machine_without_a_token(serve):
    served = serve()
    for host in ("evil.example", "evil.example:8080", "127.0.0.1.evil.example", "", "[", "a b"):
        assert served.ask("/", Host=host).status == 421, host
    for host in ("localhost", "localhost:1", "127.0.0.1:8080", "[::1]:80"):
        assert served.ask("/", Host=host).status == 200, host


def test_other_pages_get_nothing(serve):
    served = serve()
    assert (
        served.ask("/api/state", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="cors").status == 403
    )
    assert served.ask("/api/state", Sec_Fetch_Site="same-origin").status == 200
    assert served.ask("/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate").status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_changed(serve, method):
    served = serve()
    assert {served.ask(path, method).status for path in PATHS} == {405}


def test_every_answer_has_its_headers(serve):
    served = serve()
    for path in PATHS:
        headers = served.ask(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"], path
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "server" not in headers


def test_without_the_token_nothing_is_told(serve, verdict):
    served = serve(token=TOKEN)
    served.live.take(verdict())
    for path in PATHS:
        answer = served.ask(path)
        assert (answer.status, answer.content) == (401, b"A token is needed.\n"), path
    answer = served.ask("/", Accept="text/html")
    assert (answer.status, answer.headers["Location"]) == (303, "/login")
    assert served.ask("/login").status == 200
    assert served.ask("/metrics", Authorization=f"Bearer {TOKEN}").status == 200
    assert served.ask("/metrics", Authorization=f"Basic {TOKEN}").status == 401
    assert served.ask("/", Host="pi.example", Authorization=f"bearer {TOKEN}").status == 200


def login(served, token, **headers):
    return served.ask("/login", "POST", f"token={quote(token)}", **headers)


def test_the_login(serve):
    served = serve(token=TOKEN)
    answer = login(served, TOKEN)
    cookie = answer.headers["Set-Cookie"]
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert TOKEN not in cookie
    assert served.ask("/api/state", Cookie=cookie.split(";")[0]).status == 200
    assert served.ask("/api/state", Cookie="corrosion-edge=9999999999.aa.bb").status == 401
    assert login(served, TOKEN, X_Forwarded_Proto="https").headers["Set-Cookie"].endswith("Secure")
    assert login(served, TOKEN, Origin="http://evil.example").status == 403
    assert login(served, "x" * 9000).headers["Location"] == "/login?wrong=1"


def test_wrong_tokens_are_limited(serve):
    served = serve(token=TOKEN)
    for _ in range(5):
        assert login(served, "wrong").headers["Location"] == "/login?wrong=1"
    answer = login(served, "wrong")
    assert answer.status == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert served.ask("/metrics", Authorization="Bearer wrong").status == 429
    other = {"X_Forwarded_For": "192.0.2.9"}
    assert served.ask("/metrics", Authorization="Bearer wrong", **other).status == 401


def test_wrong_tokens_do_not_shut_the_right_one_out(serve, verdict):
    served = serve(token=TOKEN)
    served.live.take(verdict())
    cookie = login(served, TOKEN).headers["Set-Cookie"].split(";")[0]
    for _ in range(8):
        served.ask("/metrics", Authorization="Bearer an-old-token-of-some-program")
    assert served.ask("/metrics", Authorization="Bearer wrong").status == 429
    for path in ("/metrics", "/", "/api/state", "/healthz"):
        assert served.ask(path, Authorization=f"Bearer {TOKEN}").status == 200
        assert served.ask(path, Cookie=cookie).status == 200
    answer = login(served, TOKEN)
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert served.ask("/metrics").status == 401
    assert served.ask("/metrics", Authorization="Bearer wrong").status == 429


def part(answer):
    assert answer.readline() == f"--{BOUNDARY}\r\n".encode()
    assert answer.readline() == b"Content-Type: image/jpeg\r\n"
    length = int(answer.readline().split(b":")[1])
    answer.readline()
    content = answer.read(length)
    answer.readline()
    return content


def test_a_stream_brings_new_pictures_and_ends_with_the_watch(serve, verdict):
    served = serve()
    served.live.take(verdict(index=1))
    answer = served.ask("/cameras/deck/stream.mjpg")
    first = part(answer)
    served.live.take(verdict(index=2))
    second = part(answer)
    assert first.startswith(b"\xff\xd8")
    assert first != second
    served.sink.close()
    assert answer.read() == b""


def test_streams_are_bounded_and_slots_come_back(serve, verdict):
    served = serve()
    served.live.take(verdict())
    held = [served.ask("/cameras/deck/stream.mjpg") for _ in range(4)]
    assert [answer.status for answer in held] == [200] * 4
    refused = served.ask("/cameras/deck/stream.mjpg")
    assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
    for answer in held:
        part(answer)
        answer.close()
    until(lambda: served.app.streams.taken == 0, served, verdict)
    assert served.ask("/cameras/deck/stream.mjpg").status == 200


def until(condition, served, verdict):
    """Frames go on, for a client that left is noticed when it is written to."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        served.live.take(verdict(index=int(1000 * time.monotonic())))
        time.sleep(0.1)


def test_fifty_clients_at_once(serve, verdict):
    served = serve()
    served.live.take(verdict(size=(1280, 720)))
    paths = ["/cameras/deck/snapshot.jpg", "/api/state", "/", "/metrics", "/api/scores"] * 10
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(served.ask, paths))
    assert {answer.status for answer in answers} <= {200, 503}
    assert sum(answer.status == 200 for answer in answers) >= 25
    assert all("Retry-After" in a.headers or b"Service" in a.content
               for a in answers if a.status == 503)  # fmt: skip
    assert served.app.encoder.encoded == 1
    assert served.app.pictures.most <= 8
    assert served.ask("/healthz").status == 200


def test_a_client_that_never_reads_costs_one_buffer(serve, verdict):
    served = serve()
    served.live.take(verdict(index=0, size=(960, 720)))
    with socket.create_connection(("127.0.0.1", served.port)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(b"GET /cameras/deck/stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        sizes = []
        for index in range(1, 60):
            served.live.take(verdict(index=index, size=(960, 720)))
            time.sleep(0.1)
            sizes.append(buffered(served))
        largest = len(served.ask("/cameras/deck/snapshot.jpg").content)
        assert max(sizes) <= 2 * largest + 65536
        assert sizes[-1] > 0  # it is stuck, and yet the others are served
        assert served.ask("/healthz").status == 200
        assert served.app.streams.taken == 1


def buffered(served):
    servers = served.sink._servers
    connections = [c for each in servers for c in list(each.server_state.connections)]
    return sum(c.transport.get_write_buffer_size() for c in connections)


def test_connections_are_bounded(serve):
    served = serve()
    clients = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(90)]
    try:
        end = time.monotonic() + 20
        counted = 0
        while counted < server.CONNECTIONS and time.monotonic() < end:
            counted = len(served.sink._servers[0].server_state.connections)
            time.sleep(0.05)
        # One more may be there for the moment in which it is turned away.
        assert server.CONNECTIONS <= counted <= server.CONNECTIONS + 1
    finally:
        for client in clients:
            client.close()


def test_silent_clients_are_left(serve, monkeypatch):
    monkeypatch.setattr(server, "_QUIET", 0.2)
    served = serve()
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: local")
        with suppress(ConnectionResetError):
            assert client.recv(100) == b""


def test_nothing_comes_from_elsewhere():
    folder = Path(server.__file__).parent / "files"
    texts = {path.name: path.read_text() for path in folder.iterdir()}
    for name, text in texts.items():
        plain = text.replace("http://www.w3.org/2000/svg", "")
        assert "//cdn" not in plain and "http:" not in plain and "https:" not in plain, name
        assert "innerHTML" not in plain and "eval(" not in plain, name
    assert " style=" not in texts["page.html"] and "onclick" not in texts["page.html"]
