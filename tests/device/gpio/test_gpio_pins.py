"""Pins, on gpiozero's mock of a Raspberry Pi; no real one was at hand."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from commands import run

pytest.importorskip("gpiozero", reason="gpiozero is not installed")

from gpiozero import Device, DigitalOutputDevice
from gpiozero.pins.mock import MockFactory

from corrosion_edge.device.gpio import pins as module
from corrosion_edge.device.gpio.lights import Shown
from corrosion_edge.device.gpio.pins import open_pins
from corrosion_edge.device.gpio.sink import PinSink
from corrosion_edge.errors import ExtraError, OutputError, UsageError


@pytest.fixture
def board(monkeypatch):
    """Mock pins, as GPIOZERO_PIN_FACTORY=mock would give, and none of another test."""
    factory = MockFactory()
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    monkeypatch.setattr(Device, "pin_factory", factory)
    yield factory
    factory.reset()


class Scripted:
    """Lights that are set by the test."""

    def __init__(self, **shown):
        self.taken = []
        self.show(**shown)

    def show(self, corrosion=False, unknown=False, healthy=False):
        self._shown = Shown(corrosion, unknown, healthy)

    def take(self, result):
        self.taken.append(result)

    def shown(self):
        return self._shown


def until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


ALL = {"corrosion": ("--gpio", "17"), "unknown": ("--gpio-unknown", "GPIO27"),
       "healthy": ("--gpio-healthy", "BOARD15")}  # fmt: skip


def test_pins_show_what_the_lights_say_and_are_off_and_free_at_the_end(board):
    lights = Scripted(corrosion=True)
    corrosion, unknown = board.pin(17), board.pin(27)
    with PinSink(lights, open_pins(ALL), pulse=0) as sink:
        until(lambda: corrosion.state)
        assert not unknown.state
        lights.show(unknown=True)
        sink.write("anything")
        until(lambda: unknown.state and not corrosion.state)
    assert lights.taken == ["anything"]
    assert not unknown.state
    DigitalOutputDevice(27).close()  # it was given back
    sink.close()


def test_low_means_on_where_it_is_asked_for(board):
    pin = board.pin(17)
    lights = Scripted()
    with PinSink(lights, open_pins({"corrosion": ("--gpio", "17")}, active_high=False), 0) as sink:
        assert pin.state == 1
        lights.show(corrosion=True)
        sink.write("anything")
        until(lambda: pin.state == 0)
    assert 0 not in [state.state for state in pin.states[-1:]]


def test_healthy_blinks_and_stops_when_it_is_not(board):
    pin = board.pin(22)
    lights = Scripted(healthy=True)
    with PinSink(lights, open_pins({"healthy": ("--gpio-healthy", "22")}), pulse=0.02):
        until(lambda: len(pin.states) > 12)
        lights.show(healthy=False)
        until(lambda: not pin.state)
        time.sleep(0.2)
        seen = len(pin.states)
        time.sleep(0.2)
        assert len(pin.states) == seen
        assert not pin.state


def test_a_driver_that_hangs_keeps_nobody(board, capfd):
    """The judging thread never waits for a pin, and the end only for a while."""
    held = threading.Event()

    class Hanging:
        name = "--gpio 17"

        def set(self, on):
            held.wait(20)

        def close(self):
            pass

    sink = PinSink(Scripted(), {"corrosion": Hanging()}, 0)
    for _ in range(1000):
        sink.write("anything")
    sink.close()
    held.set()


def test_a_pin_that_fails_is_told_of_once_and_tried_again(board, capfd):
    class Failing:
        name = "--gpio 17"
        tries, works = 0, False

        def set(self, on):
            self.tries += 1
            if not self.works:
                raise OSError("the chip is gone")

        def close(self):
            pass

    pin = Failing()
    with PinSink(Scripted(corrosion=True), {"corrosion": pin}, pulse=0.04) as sink:
        until(lambda: pin.tries > 3)
        pin.works = True
        tries = pin.tries
        until(lambda: pin.tries > tries)
        sink.write("anything")
    assert capfd.readouterr().err == "warning: --gpio 17: cannot be set (the chip is gone)\n"


def test_a_pin_in_use_is_refused_and_the_others_are_given_back(board):
    taken = DigitalOutputDevice(27)
    with pytest.raises(UsageError, match="--gpio-unknown GPIO27: this watch uses the pin already"):
        open_pins(ALL)
    DigitalOutputDevice(17).close()
    taken.close()


def test_a_pin_of_another_program_is_named(board, monkeypatch):
    """lgpio raises its own error, whose text is 'GPIO busy' in quotes."""

    def busy(*_, **__):
        raise Exception("'GPIO busy'")

    monkeypatch.setattr("gpiozero.DigitalOutputDevice", busy)
    with pytest.raises(OutputError, match=r"--gpio 17: another program has the pin \(gpioinfo"):
        open_pins({"corrosion": ("--gpio", "17")})


@pytest.mark.parametrize("pin", ["99", "GPIOX", "", "BOARD1"])
def test_what_is_no_pin(board, pin):
    with pytest.raises((UsageError, OutputError), match=f"--gpio {pin}: "):
        open_pins({"corrosion": ("--gpio", pin)})


def test_a_machine_without_pins_is_one_sentence(monkeypatch):
    pytest.importorskip("lgpio", reason="lgpio is not installed")
    monkeypatch.delenv("GPIOZERO_PIN_FACTORY", raising=False)
    before = os.getcwd()  # noqa: PTH109 - what lgpio changes
    if os.path.exists("/dev/gpiochip0"):  # noqa: PTH110
        pytest.skip("this machine has pins")
    with pytest.raises(OutputError, match="no pins on this machine"):
        open_pins({"corrosion": ("--gpio", "17")})
    assert os.getcwd() == before  # noqa: PTH109


def test_without_gpiozero_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    with pytest.raises(ExtraError, match=r"pip install 'corrosion-edge\[gpio\]'"):
        module.open_pins({"corrosion": ("--gpio", "17")})


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--gpio-unknown", "17", "--gpio-patience", "0"), "'--gpio-patience': 0.0 is not in"),
        (("--gpio", "17", "--gpio-patience", "inf"), "--gpio-patience: expected 0.1 seconds"),
        (("--gpio", "17", "--gpio-pulse", "-1"), "'--gpio-pulse': -1.0 is not in"),
        (
            ("--gpio", "17", "--interval", "60"),
            "--gpio-patience 60: expected more than the --interval 60; take 120 or more",
        ),
        (("--gpio-active", "low"), "--gpio-active: needs a pin"),
        (("--smooth", "1/1"), "--smooth: needs --store DIR"),
        (("--gpio", "17", "--smooth", "x"), "'--smooth': expected N/M"),
        (("--gpio", "17", "--gpio-unknown", "BOARD11"), "uses the pin already"),
    ],
)
def test_options_that_cannot_be(board, words, told):
    result = run("watch", "--camera", "demo", "--frames", "1", *words)
    assert result.exit_code == 2
    assert told in result.stderr


@pytest.fixture
def corroded(classifier, monkeypatch):
    """A classifier that is sure of corrosion from the fifth picture on."""
    from dataclasses import replace

    judge, count = classifier.classify, iter(range(1000))
    monkeypatch.setattr(
        classifier,
        "classify",
        lambda pixels: replace(judge(pixels), score=0.99 if next(count) >= 5 else 0.01),
    )


def test_watch_lights_them_without_a_store(board, corroded):
    pin = board.pin(17)
    result = run("watch", "--camera", "demo", "--frames", "12", "--interval", "0.1",
                 "--gpio", "17", "--gpio-unknown", "27", "--smooth", "1/1")  # fmt: skip
    assert result.exit_code == 0, result.output
    assert [state.state for state in pin.states][-2:] == [True, False]
    assert any(state.state for state in board.pin(27).states)  # until the first verdict


LOGGED = """
import sys
from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPin
class Logged(MockPin):
    def _change_state(self, value):
        changed = super()._change_state(value)
        print(self.info.name, int(self.state), file=log, flush=True)
        return changed
log = open(sys.argv.pop(1), "a")
Device.pin_factory = MockFactory(pin_class=Logged)
from corrosion_edge.cli import main
main()
"""


def test_a_killed_watch_blinks_no_more(tmp_path):
    """The level that a pin keeps is the kernel's business; that it stops changing is ours."""
    log = tmp_path / "log"
    words = [sys.executable, "-c", LOGGED, str(log), "watch", "--camera", "demo", "--json",
             "--interval", "0.05", "--gpio-healthy", "22", "--gpio-pulse", "0.05"]  # fmt: skip
    environment = os.environ | {"GPIOZERO_PIN_FACTORY": "mock"}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            assert "label" in json.loads(process.stdout.readline())
            until(lambda: log.exists() and log.read_text().count("GPIO22 1") > 5, 60)
            process.send_signal(signal.SIGKILL)
            process.wait(60)
        finally:
            process.kill()
    seen = log.read_text()
    time.sleep(0.5)
    assert log.read_text() == seen


def test_a_hung_judging_thread_stops_the_blinking(board):
    """Nothing is written any more, and the pins' own thread looks at the clock."""
    from corrosion_edge.device.events.settings import Detection
    from corrosion_edge.device.gpio.lights import Lights
    from corrosion_edge.device.sources.fake import FakeCamera
    from corrosion_edge.device.verdict import Verdict
    from corrosion_edge.prediction import Prediction

    healthy, unknown = board.pin(22), board.pin(27)
    lights = Lights(("fake",), Detection.for_model, 0.5, None, patience=0.5)
    named = {"healthy": ("--gpio-healthy", "22"), "unknown": ("--gpio-unknown", "27")}
    with PinSink(lights, open_pins(named), pulse=0) as sink, FakeCamera(["frame"]) as camera:
        sink.write(Verdict(camera.read(), Prediction(0.1, 0.5), 1.0))
        until(lambda: healthy.state and not unknown.state)
        until(lambda: unknown.state and not healthy.state)  # and nobody wrote
