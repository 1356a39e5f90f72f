"""The sink that lights the lamps, from a thread of its own."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from corrosion_edge.device.gpio.lights import Lights
from corrosion_edge.device.gpio.pins import Pin
from corrosion_edge.device.lines import say
from corrosion_edge.device.sinks import Result, Sink

__all__ = ["PinSink"]

_STEP: Final = 0.25  # seconds between two looks at the clock; half of the shortest blink, or this
_SHORTEST: Final = 0.02
_ENDING: Final = 2.0


class PinSink(Sink):
    """Sets ``pins`` (corrosion, unknown, healthy) as ``lights`` say, which belong to it.

    The thread looks at the time as well, so that a judging thread that hangs shows. ``healthy``
    blinks, ``pulse`` seconds on and as long off: when a process is killed, a pin may keep its
    level, but it does not blink. At the end all are turned off and given back.
    """

    def __init__(
        self,
        lights: Lights,
        pins: Mapping[str, Pin],
        pulse: float,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lights, self._pins, self._pulse, self._clock = lights, dict(pins), pulse, clock
        self._step = max(_SHORTEST, min(_STEP, pulse / 2)) if pulse else _STEP
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._ending = False
        self._level: dict[str, bool] = {}
        self._failed: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="pins", daemon=True)
        self._thread.start()

    def write(self, result: Result) -> None:
        """See ``Sink.write``."""
        with self._lock:
            self._lights.take(result)
        self._wake.set()

    def close(self) -> None:
        """See ``Sink.close``."""
        self._ending = True
        self._wake.set()
        self._thread.join(_ENDING)
        for pin in self._pins.values():
            pin.close()
        self._pins = {}

    def _run(self) -> None:
        while not self._ending:
            self._show()
            self._wake.wait(self._step)
            self._wake.clear()

    def _show(self) -> None:
        with self._lock:
            shown = self._lights.shown()
        blink = not self._pulse or int(self._clock() / self._pulse) % 2 == 0
        wanted = {"corrosion": shown.corrosion, "unknown": shown.unknown,
                  "healthy": shown.healthy and blink}  # fmt: skip
        for light, pin in self._pins.items():
            if self._level.get(light) != wanted[light]:
                self._set(light, pin, wanted[light])

    def _set(self, light: str, pin: Pin, on: bool) -> None:
        """A pin that fails is told of once, and tried again each time."""
        try:
            pin.set(on)
        except Exception as error:  # each driver raises its own kinds
            if light not in self._failed:
                self._failed.add(light)
                say(f"warning: {pin.name}: cannot be set ({error})")
            return
        self._failed.discard(light)
        self._level[light] = on
