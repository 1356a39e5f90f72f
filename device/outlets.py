"""Where a watch is told of beside the terminal: each outlet has its options and opens one sink."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import click

from corrosion_edge.device.gpio.options import GPIO, open_gpio
from corrosion_edge.device.telling.options import MQTT, WEBHOOK, open_mqtt, open_webhook
from corrosion_edge.device.web import outlet as web

if TYPE_CHECKING:
    from corrosion_edge.device.classifier import Classifier
    from corrosion_edge.device.events.settings import Detection, Settings
    from corrosion_edge.device.sinks import Sink
    from corrosion_edge.device.telling.backlog import Tells

__all__ = ["OUTLETS", "Outlet", "Outlets", "Runs", "Watched", "outlet_options"]

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class Runs(Protocol):
    """What knows the model that judges."""

    @property
    def classifier(self) -> "Classifier":
        """The one that judges now."""


def _detection(threshold: float, band: tuple[float, float] | None) -> "Detection":
    from corrosion_edge.device.events.settings import Detection

    return Detection.for_model(threshold, band)


@dataclass(frozen=True, slots=True)
class Watched:
    """What an outlet may know: the running model, the cameras' names, and the folder of events.

    A single camera without a name is called as its source. ``store`` is None without a store;
    the writer has it open when outlets are opened, and has stored its last event when they close.
    ``dropped`` tells how many frames nobody took in time, by camera as
    ``Source.dropped_by_camera``, ``intervals`` the least seconds between two of a camera's
    verdicts, by its name. An outlet that may fall behind adds to ``backlogs`` what tells how far.
    ``detection`` makes smoothing and hysteresis, as the options
    say, for a threshold and a band of unsure scores.
    """

    models: "Runs"
    cameras: tuple[str, ...]
    store: Path | None
    dropped: Callable[[], Mapping[str, int]] = field(default=dict, compare=False)
    detection: "Settings" = field(default=_detection, compare=False)
    intervals: Mapping[str, float] = field(default_factory=dict, compare=False)
    backlogs: "list[Tells]" = field(default_factory=list, compare=False)

    @property
    def classifier(self) -> "Classifier":
        """The one that judges now; another one after a model was put in its place."""
        return self.models.classifier


@dataclass(frozen=True, slots=True)
class Outlet:
    """Options for ``watch``, and what opens the sink that they ask for, or gives None.

    The sink is written to by the thread that judges frames: it neither waits nor raises for what
    is out of this program's hands. ``open`` raises UsageError for values that do not go together.
    One that ``detects`` uses smoothing and hysteresis, also without a store.
    """

    options: tuple[Decorator, ...]
    open: Callable[[Mapping[str, Any], Watched], "Sink | None"]
    detects: bool = False


OUTLETS: Final[tuple[Outlet, ...]] = (
    Outlet(MQTT, open_mqtt, detects=True),
    Outlet(WEBHOOK, open_webhook),
    Outlet(web.OPTIONS, web.open_web, detects=True),
    Outlet(GPIO, open_gpio, detects=True),
)
"""In the order of their options on the help page."""


class Outlets:
    """The options' values, and the sinks that they ask for."""

    def __init__(self, values: Mapping[str, Any], known: Sequence[Outlet] = OUTLETS) -> None:
        self._values = dict(values)
        self._known = known

    @property
    def detects(self) -> bool:
        """Whether one that is asked for uses smoothing and hysteresis."""
        asked = {name for name, value in self._values.items() if value is not None}
        return any(asked & set(map(_parameter, outlet.options))
                   for outlet in self._known if outlet.detects)  # fmt: skip

    @contextmanager
    def opened(self, watched: Watched) -> Iterator[Callable[[], list["Sink"]]]:
        """Open what is asked for, all or none of it, and close it in turn.

        Gives what lets the sinks begin, which reads the store; until then nothing is told.
        """
        with ExitStack() as stack:
            sinks = []
            for outlet in self._known:
                if (sink := outlet.open(self._values, watched)) is not None:
                    sinks.append(sink)
                    stack.callback(sink.close)
            yield lambda: [stack.enter_context(sink) for sink in sinks]


def outlet_options(
    command: Callable[..., Any], known: Sequence[Outlet] = OUTLETS
) -> Callable[..., Any]:
    """Add every outlet's options to a command, which gets them as ``outlets``."""
    options = [option for outlet in known for option in outlet.options]
    names = [_parameter(option) for option in options]

    @functools.wraps(command)
    def gathered(*arguments: Any, **values: Any) -> Any:
        mine = {name: values.pop(name) for name in names}
        return command(*arguments, outlets=Outlets(mine, known), **values)

    wrapped: Callable[..., Any] = gathered
    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped


def _parameter(option: Decorator) -> str:
    """The name under which a command gets the option's value."""
    return str(click.command()(option(lambda: None)).params[0].name)
