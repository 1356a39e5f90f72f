"""The options that put a watch on pins, and what opens their sink. Light imports only."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from corrosion_edge.errors import UsageError
from corrosion_edge.number import Number

if TYPE_CHECKING:
    from corrosion_edge.device.outlets import Watched
    from corrosion_edge.device.sinks import Sink

__all__ = ["GPIO", "PATIENCE", "PULSE", "open_gpio", "require_some_pin"]

PATIENCE: Final = 60.0
PULSE: Final = 0.5

GPIO: Final = (
    click.option("--gpio", metavar="PIN",
                 help="A pin that is on while there is corrosion: 17, GPIO17 or BOARD11.  "
                 "[default: off]"),
    click.option("--gpio-unknown", metavar="PIN",
                 help="A pin that is on while the watch cannot tell."),
    click.option("--gpio-healthy", metavar="PIN",
                 help="A pin that blinks while verdicts come, and only then."),
    click.option("--gpio-pulse", type=Number(min=0), metavar="S",
                 help=f"Seconds of each blink, on and off; 0 for steady.  [default: {PULSE:g}]"),
    click.option("--gpio-patience", type=Number(min=0.1), metavar="S",
                 help="Seconds without a verdict after which the watch cannot tell; more than "
                 f"--interval.  [default: {PATIENCE:g}]"),
    click.option("--gpio-active", type=click.Choice(["high", "low"]),
                 help="The level that means on, for all of them.  [default: high]"),
)  # fmt: skip
_PINS: Final = {"corrosion": "gpio", "unknown": "gpio_unknown", "healthy": "gpio_healthy"}


def open_gpio(values: Mapping[str, Any], watched: "Watched") -> "Sink | None":
    """The sink for the pins that are asked for; None without one.

    UsageError for values that cannot be, ExtraError without gpiozero, OutputError for a pin that
    cannot be had.
    """
    wanted = {light: values[name] for light, name in _PINS.items() if values[name] is not None}
    if not wanted:
        require_some_pin(values)
        return None
    patience = _seconds(values, "gpio_patience", PATIENCE)
    _require_longer(patience, watched.intervals)
    pulse = _seconds(values, "gpio_pulse", PULSE, least=0.0)
    from corrosion_edge.device.gpio.lights import Lights
    from corrosion_edge.device.gpio.pins import open_pins
    from corrosion_edge.device.gpio.sink import PinSink

    classifier = watched.classifier
    lights = Lights(
        watched.cameras, watched.detection, classifier.threshold, classifier.band, patience
    )
    named = {light: (f"--{_PINS[light].replace('_', '-')}", pin) for light, pin in wanted.items()}
    return PinSink(lights, open_pins(named, active_high=values["gpio_active"] != "low"), pulse)


def require_some_pin(values: Mapping[str, Any]) -> None:
    """UsageError for what is said of pins where there is none."""
    given = [name for name, value in values.items() if value is not None and "gpio_" in name]
    if given and all(values[name] is None for name in _PINS.values()):
        raise UsageError(f"--{given[0].replace('_', '-')}: needs a pin, such as --gpio 17")


def _require_longer(patience: float, intervals: Mapping[str, float]) -> None:
    """A wait that the interval asks for must not look as if the watch could not tell."""
    camera, longest = max(intervals.items(), key=lambda item: item[1], default=("", 0.0))
    if longest and patience <= longest:
        whose = f" of the camera {camera}" if camera else ""
        raise UsageError(
            f"--gpio-patience {patience:g}: expected more than the --interval {longest:g}{whose}; "
            f"take {2 * longest:g} or more"
        )


def _seconds(values: Mapping[str, Any], name: str, default: float, least: float = 0.1) -> float:
    value = default if values[name] is None else float(values[name])
    if not (math.isfinite(value) and value >= least):
        option = f"--{name.replace('_', '-')}"
        raise UsageError(f"{option}: expected {least:g} seconds or more, got {value:g}")
    return value
