"""The page in a real browser without a screen, at a desk's and a phone's width.

What this leaves untested: other engines than Chromium's, real touch, and screen readers.
``CORROSION_EDGE_PICTURES`` names a folder that keeps the pictures of the page, to be looked at.
"""

import math
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import rig
from broker import fill, free_port, watch
from losable import Losable, Named

pytest.importorskip("uvicorn", reason="the extra web is not installed")

from corrosion_edge import image
from corrosion_edge.benchmarks.soak.station import Station, own_server
from corrosion_edge.benchmarks.soak.video import loop_video
from corrosion_edge.device.capture.quality import SPEC, Limits, assess
from corrosion_edge.device.capture.state import CameraState
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.device.events.event import Happening, Scene
from corrosion_edge.device.events.following import Following
from corrosion_edge.device.events.settings import Detection, Votes
from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.outlets import Watched
from corrosion_edge.device.store import Keeper, Store
from corrosion_edge.device.telling.backlog import Backlog
from corrosion_edge.device.verdict import Unusable, Verdict
from corrosion_edge.device.web.address import Address
from corrosion_edge.device.web.live import Live
from corrosion_edge.device.web.server import Place, WebSink
from corrosion_edge.device.web.smoothed import Smoothed
from corrosion_edge.device.web.token import Token
from corrosion_edge.device.web.view import View
from corrosion_edge.frame import Frame
from corrosion_edge.prediction import Prediction
from corrosion_edge.render import surface

SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
NASTY = '<img src=x onerror="document.title=1">'
TOKEN = "a-token-of-this-test-alone"
CHROMIUM = "/usr/bin/chromium"
ONE = Votes(1, 1)
"""Every frame decides."""


@dataclass
class Seen:
    """A page and what was wrong with it."""

    page: Any
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def cards(self) -> dict[str, Any]:
        return {
            card.get_attribute("data-camera"): card
            for card in self.page.query_selector_all(".camera")
        }

    def keep(self, name: str) -> None:
        if folder := os.environ.get("CORROSION_EDGE_PICTURES"):
            self.page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.fixture(scope="module")
def classifier() -> Iterator[Classifier]:
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")
    with Classifier.open(rig.model_file()) as opened:
        yield opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sys.path.append(str(rig.require("chromium") / "site"))
    try:
        from playwright.sync_api import sync_playwright

        with sync_playwright() as driver:
            how = {"executable_path": CHROMIUM, "args": ["--no-sandbox"]}
            opened = driver.chromium.launch(**how)
            yield opened
            opened.close()
    finally:
        sys.path.pop()


@pytest.fixture
def look(browser: Any) -> Iterator[Callable[..., Seen]]:
    """Open a page at a size, light or dark; remembers errors and requests."""
    contexts = []

    def opened(address: str, size: str = "desktop", scheme: str = "light") -> Seen:
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            device_scale_factor=1,
            is_mobile=size == "phone",
            has_touch=size == "phone",
        )
        contexts.append(context)
        seen = Seen(context.new_page())
        seen.page.on("console", lambda m: seen.errors.append(m.text) if m.type == "error" else None)
        seen.page.on("pageerror", lambda error: seen.errors.append(str(error)))
        seen.page.on("request", lambda request: seen.requests.append(request.url))
        seen.page.goto(address)
        return seen

    yield opened
    for context in contexts:
        context.close()


@contextmanager
def serving(
    classifier: Any,
    cameras: tuple[str, ...],
    store: Path | None = None,
    token: str = "",
    smoothing: Votes = ONE,
    backlogs: Sequence[Backlog] = (),
) -> Iterator[tuple[Live, str]]:
    """Serve a live state at an address, with the clock two hours back until it is let go."""
    shift = [7200.0]
    settings = partial(Detection.for_model, smoothing=smoothing)
    smoothed = Smoothed(Following(cameras, settings, classifier.threshold, classifier.band))
    live = Live(cameras, lambda: time.monotonic() - shift[0], smoothed)
    watched = Watched(SimpleNamespace(classifier=classifier), cameras, store)
    watched.backlogs.extend(partial(_same, each) for each in backlogs)
    view = View.of(watched, live)
    place = Place("--web", Address("127.0.0.1", 0))
    with WebSink(view, [place], Token(token) if token else None) as sink:
        history(live, cameras, shift)
        shift[0] = 0.0
        yield live, f"http://127.0.0.1:{sink.ports[0]}/"


def _same(told: Backlog) -> Backlog:
    return told


def history(live: Live, cameras: tuple[str, ...], shift: list[float]) -> None:
    """Two hours of scores that rise and fall, with a hole."""
    small = Frame.now(np.full((48, 64, 3), 90, np.uint8), 0)
    for step in range(1440):
        shift[0] = 7200.0 - 5 * step
        if 900 < step < 960:
            continue
        for place, name in enumerate(cameras):
            score = 0.5 + 0.3 * math.sin(step / 90 + place) + 0.1 * math.sin(step * 1.7)
            frame = Frame(small.pixels, step, datetime.now(UTC), camera=name)
            live.take(Verdict(frame, Prediction(float(np.clip(score, 0, 1)), 0.5), 5 + step % 7))
    for name in cameras:
        frame = Frame(small.pixels, 1440, datetime.now(UTC), camera=name)
        live.take(Verdict(frame, Prediction(0.0, 0.5), 5.0))


def judged(live: Live, classifier: Classifier, camera: str, **how: Any) -> None:
    pixels = surface("steel", size=(640, 480), seed=4, **how)
    live.take(Verdict(Frame(pixels, 9, datetime.now(UTC), camera=camera),
                       classifier.classify(pixels), 6.5))  # fmt: skip


def dark(live: Live, camera: str) -> None:
    pixels = np.full((480, 640, 3), 12, np.uint8)
    quality = assess(image.prepare(pixels, SPEC), Limits())
    for _ in range(Detection.for_model(0.5, None).steady):
        live.take(Unusable(Frame(pixels, 9, datetime.now(UTC), camera=camera), quality))


def lost(live: Live, camera: str) -> None:
    reason = "no frame for 10 s; it is opened again in 4 s"
    live.take(CameraState(camera, "lost", reason, datetime.now(UTC), "running", 900, 3, 1))


def stored(folder: Path, classifier: Classifier) -> Path:
    pixels = surface("steel", rust=0.6, seed=4)
    scene = Scene(pixels, classifier.classify(pixels))
    with Keeper(Store(folder)) as keeper:
        keeper.append(Happening(kind="started", at=Stamp.now()))
        keeper.append(Happening(kind="corrosion_began", at=Stamp.now(), camera="gate", scene=scene))
        keeper.append(Happening(kind="camera_lost", at=Stamp.now(), camera="deck", reason=NASTY))
    return folder


def until(page: Any, condition: str) -> None:
    """Wait for it; Playwright's own way evaluates text within the page, which forbids that."""
    end = time.monotonic() + 30
    while not page.evaluate(condition):
        assert time.monotonic() < end, condition
        page.wait_for_timeout(50)


def overflow(page: Any) -> int:
    return int(page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    ))  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_three_cameras(look, classifier, tmp_path, size, scheme):
    cameras = ("gate", "pole", "deck")
    store = stored(tmp_path / "events", classifier)
    with serving(classifier, cameras, store) as (live, address):
        judged(live, classifier, "gate", rust=0.6)
        dark(live, "pole")
        judged(live, classifier, "deck", rust=0.0)
        lost(live, "deck")
        seen = look(address, size, scheme)
        page = seen.page
        until(
            page,
            "document.querySelectorAll('.picture img:not([hidden])').length === 3"
            " && document.querySelectorAll('.plot svg').length === 3"
            " && document.querySelectorAll('#event-list li').length === 3",
        )
        words = {name: card.query_selector("[data-part=word]").inner_text()
                 for name, card in seen.cards().items()}  # fmt: skip
        page.evaluate("for (const i of document.images) i.loading = 'eager'")
        until(page, "[...document.images].every(i => i.complete && i.naturalWidth > 0)")
        seen.keep(f"three-{size}-{scheme}")
        wide, colour = overflow(page), page.evaluate("getComputedStyle(document.body).color")
        small = page.evaluate(TARGETS)
        contrasts = page.evaluate(CONTRASTS)
    assert words == {"gate": "Corrosion", "pole": "Picture unusable", "deck": "Camera lost"}
    assert wide == 0
    assert seen.errors == []
    assert {url.startswith(address) for url in seen.requests} == {True}
    assert (colour == "rgb(232, 237, 240)") == (scheme == "dark")
    assert small == []
    assert contrasts and min(contrasts.values()) >= 4.5, contrasts


@pytest.mark.parametrize("size", SIZES)
def test_the_event_comes_before_the_newest_frame_and_what_waits_is_told(
    look, classifier, tmp_path, size
):
    store = stored(tmp_path / "events", classifier)
    behind = Backlog("mqtt", "mqtt mqtt://broker.example:1883", 1, "nobody answers there",
                     datetime.now(UTC) - timedelta(minutes=7))  # fmt: skip
    held = (behind, Backlog("webhook ops", "webhook ops (https://ops.example:443)", 3))
    with serving(classifier, ("gate",), store, smoothing=Votes(3, 5), backlogs=held) as (
        live, address,
    ):  # fmt: skip
        for _ in range(3):
            judged(live, classifier, "gate", rust=0.6)
            time.sleep(0.01)
        judged(live, classifier, "gate", rust=0.0)
        seen = look(address, size)
        page = seen.page
        page.wait_for_selector(".verdict.corrosion")
        page.wait_for_selector(".picture img:not([hidden])")
        until(page, "document.querySelectorAll('.plot svg').length === 1")
        told = page.evaluate("fetch('/api/state').then(answer => answer.json())")
        began = page.evaluate(f"moment({told['cameras'][0]['corrosion_since']!r})")
        box, newest = page.inner_text(".facts"), page.inner_text("[data-part=newest]")
        health = page.inner_text("#machine")
        seen.keep(f"event-{size}")
        wide, contrasts = overflow(page), page.evaluate(CONTRASTS)
    assert box.index("Corrosion") < box.index(f"since {began}") < box.index("newest frame")
    assert "newest frame: no corrosion, since " in newest
    assert "2 events wait, the first since " in health
    assert "nobody answers there, since " in health
    assert "all events delivered" in health
    assert wide == 0
    assert contrasts and min(contrasts.values()) >= 4.5, contrasts
    assert seen.errors == []


@pytest.mark.parametrize(
    ("how", "size"), [("the page closed", "phone"), ("the server killed", "desktop")]
)
def test_what_was_stored_while_nobody_looked_is_told_and_read_in_order_once_each(
    look, tmp_path, how, size
):
    """A watch that is killed and started anew at its port stands for any lost connection."""
    port = free_port()
    store = tmp_path / "events"
    with served_by_a_watch(store, port, tmp_path) as address:
        shown = look(address, size)
        page = shown.page
        until(page, "document.querySelectorAll('#event-list li').length > 0")
        until(page, "document.getElementById('connection').textContent.startsWith('live')")
        assert page.is_hidden("#missed")
        first = page.evaluate("JSON.parse(localStorage.getItem('looked')).number")
        if how == "the page closed":
            page.goto("about:blank")
    with Store(store) as made:
        fill(made, 300)
    # As if hours had gone by: the page tells of what it missed for half a minute and more.
    hours_ago = (datetime.now(UTC) - timedelta(hours=9)).isoformat()
    if how == "the server killed":
        until(page, "document.getElementById('connection').className === 'broken'")
        page.evaluate(BACKDATED, hours_ago)
    with served_by_a_watch(store, port, tmp_path) as address:
        if how == "the page closed":
            page.goto(f"{address}assets/style.css")
            page.evaluate(BACKDATED, hours_ago)
            page.goto(address)
        until(page, "!document.getElementById('missed').hidden")
        until(page, "document.getElementById('connection').textContent.startsWith('live')")
        word = page.inner_text("#missed-word")
        shown.keep(f"missed-{how.split()[1]}-{size}")
        seen = int(word.split()[0])
        page.reload()
        until(page, "!document.getElementById('missed').hidden")  # until somebody has seen them
        assert page.evaluate(TARGETS) == []
        page.goto(address.rstrip("/") + page.get_attribute("#missed-link", "href"))
        shown.keep(f"events-{how.split()[1]}-{size}")
        read = all_read(page, address)
        number = page.evaluate("fetch('/api/events').then(a => a.json()).then(a => a.last)")
        page.goto(address)
        page.click("#missed-seen")
        page.reload()
        until(page, "document.getElementById('connection').textContent.startsWith('live')")
        assert page.is_hidden("#missed")
    assert "since this page was last looked at" in word
    assert seen >= 300
    assert read == list(range(first + 1, read[-1] + 1))
    assert first + seen <= read[-1] <= number


def all_read(page: Any, address: str) -> list[int]:
    """The numbers of the events on this page, and behind its link to newer ones."""
    read: list[int] = []
    while True:
        read += [int(number) for number in page.evaluate(NUMBERS)]
        contrasts = page.evaluate(CONTRASTS)
        assert contrasts and min(contrasts.values()) >= 4.5, contrasts
        assert overflow(page) == 0
        newer = page.query_selector("text=Newer")
        if newer is None:
            return read
        page.goto(address.rstrip("/") + newer.get_attribute("href"))


NUMBERS = "[...document.querySelectorAll('[data-number]')].map(each => each.dataset.number)"

BACKDATED = """at => localStorage.setItem('looked',
    JSON.stringify({...JSON.parse(localStorage.getItem('looked')), at}))"""


@contextmanager
def served_by_a_watch(store: Path, port: int, folder: Path) -> Iterator[str]:
    """A watch of rust that comes and goes; it serves the page, and is killed at the end."""
    video = folder / "rust.ts"
    if not video.exists():
        loop_video(video, seconds=6, size=(640, 480))
    address = f"http://127.0.0.1:{port}/"
    with Station("deck", own_server("mjpeg", video)) as camera:
        running = watch("--camera", f"deck={camera.address}", "--interval", "0.2", "--store", store,
                        "--web", f"127.0.0.1:{port}", log=folder / "log")  # fmt: skip
        try:
            until_answered(port)
            yield address
        finally:
            running.kill()
            running.wait()


def until_answered(port: int) -> None:
    end = time.monotonic() + 60
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert time.monotonic() < end, "the watch does not serve its page"
        time.sleep(0.1)


TARGETS = """[...document.querySelectorAll('button, .button, label.switch')]
    .filter(each => each.offsetParent && each.getBoundingClientRect().height < 43)
    .map(each => each.outerHTML)"""

CONTRASTS = """(() => {
  const part = v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  const light = c => 0.2126 * part(c[0]) + 0.7152 * part(c[1]) + 0.0722 * part(c[2]);
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const behind = each => {
    for (; each; each = each.parentElement) {
      const colour = parse(getComputedStyle(each).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const TEXTS = 'h1,h2,h3,dt,dd,p,button,figcaption,strong,span,label';
  const found = {};
  for (const each of document.querySelectorAll(TEXTS)) {
    if (!each.textContent.trim() || !each.getClientRects().length) continue;
    const [a, b] = [light(parse(getComputedStyle(each).color)), light(behind(each))];
    const name = each.tagName + '.' + each.className;
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    found[name] = Math.min(found[name] ?? 99, ratio);
  }
  return found;
})()"""
"""Contrasts by WCAG 2.1, 1.4.3 (at least 4.5): https://www.w3.org/TR/WCAG21/#contrast-minimum"""


REPLACED = "The CPU answers in place of the Edge TPU"
LOST = "The Edge TPU is away: no verdicts until it is back"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("spare", [None, lambda: Named("ai-edge-litert, in place of the Edge TPU")])
def test_the_accelerator_away_and_back(look, classifier, size, scheme, spare):
    losable = Losable(Named("ai-edge-litert, Edge TPU"), spare)
    on_it = Classifier(classifier.bundle, losable.backend)
    with serving(on_it, ("gate", "deck")) as (live, address):
        for camera, rust in (("gate", 0.6), ("deck", 0.0)):
            judged(live, classifier, camera, rust=rust)
        seen = look(address, size, scheme)
        page = seen.page
        page.wait_for_selector(".verdict.corrosion")
        until(page, "document.querySelectorAll('.picture img:not([hidden])').length === 2")
        assert not page.is_visible("#alarm")
        assert "Edge TPU" in page.inner_text("#running")
        for state in losable.lose():
            live.take(state)
        page.wait_for_selector("#alarm:not([hidden])")
        until(page, "document.querySelectorAll('.plot svg').length === 2")
        loud = page.inner_text("#alarm")
        seen.keep(f"{'replaced' if spare else 'accelerator-lost'}-{size}-{scheme}")
        words = [card.query_selector("[data-part=word]").inner_text()
                 for card in seen.cards().values()]  # fmt: skip
        wide, contrasts = overflow(page), page.evaluate(CONTRASTS)
        stale = page.query_selector_all(".picture.stale")
        title, top = page.title(), page.query_selector("#alarm").bounding_box()["y"]
        for state in losable.come_back():
            live.take(state)
        page.wait_for_selector("#alarm", state="hidden")
    assert (REPLACED if spare else LOST) in loud
    assert "told to fail" in loud
    assert words == (["Corrosion", "No corrosion"] if spare else ["No verdicts"] * 2)
    assert len(stale) == (0 if spare else 2)
    assert title.startswith("On the CPU! " if spare else "Accelerator away! ")
    assert top < 200  # above all cameras, without scrolling
    assert wide == 0
    assert contrasts and min(contrasts.values()) >= 4.5, contrasts
    assert seen.errors == []


@pytest.mark.parametrize("size", SIZES)
def test_one_camera_through_the_login(look, classifier, size):
    with serving(classifier, (NASTY,), token=TOKEN) as (live, address):
        judged(live, classifier, NASTY, rust=0.0)
        seen = look(address, size)
        page = seen.page
        assert page.url == f"{address}login"
        seen.keep(f"login-{size}")
        assert overflow(page) == 0
        page.get_by_label("Token").fill("not the token, but long enough")
        page.get_by_role("button", name="Log in").click()
        assert "That was not the token." in page.get_by_role("alert").inner_text()
        page.get_by_label("Token").fill(TOKEN)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_selector(".picture img:not([hidden])")
        assert page.url == address
        assert page.get_by_role("heading", name=NASTY).inner_text() == NASTY
        assert "No corrosion" in page.inner_text(".verdict")
        assert TOKEN not in page.evaluate("document.cookie + document.body.innerHTML")
        seen.keep(f"one-{size}")
        assert overflow(page) == 0
    assert seen.errors == []


def test_it_follows_the_camera_and_says_when_the_device_is_gone(look, classifier):
    with serving(classifier, ("gate",)) as (live, address):
        judged(live, classifier, "gate", rust=0.0)
        seen = look(address)
        page = seen.page
        page.wait_for_selector(".verdict.no-corrosion")
        page.wait_for_selector(".picture img:not([hidden])")
        before = page.get_attribute(".picture img", "src")
        judged(live, classifier, "gate", rust=0.7)
        page.wait_for_selector(".verdict.corrosion")
        until(page, f"document.querySelector('.picture img').getAttribute('src') !== {before!r}")
        page.get_by_role("button", name="6 h").click()
        assert page.get_attribute("[data-seconds='21600']", "aria-pressed") == "true"
        page.get_by_label("heat map").uncheck()
        page.wait_for_selector("img[src*='kind=plain']")
        assert seen.errors == []
    page.wait_for_selector("#connection.broken")
    page.wait_for_selector(".picture.stale")
    seen.keep("gone-desktop")
    assert page.inner_text("[data-part=word]") == "No connection"
    assert page.inner_text("[data-part=since]").startswith("last known: Corrosion, ")
    assert "No connection" in page.inner_text("#connection")
