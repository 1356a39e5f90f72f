"""The options of ``watch`` that say how its cameras are read."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from corrosion_edge.device.capture import Observer
    from corrosion_edge.device.sources import Source

__all__ = ["Capture", "capture_options"]

_OPTIONS = (
    click.option(
        "--reconnect/--no-reconnect",
        default=True,
        show_default=True,
        help="Open a live camera again when it fails; only once it has delivered a frame.",
    ),
    click.option(
        "--hung-after",
        type=click.FloatRange(min=0.1),
        default=10.0,
        show_default=True,
        metavar="S",
        help="Seconds without a frame after which a live camera is given up.",
    ),
    click.option(
        "--frozen-after",
        type=click.FloatRange(min=0.0),
        default=60.0,
        show_default=True,
        metavar="S",
        help="Seconds of the very same picture after which it is frozen; 0 for never.",
    ),
)


@dataclass(frozen=True, slots=True)
class Capture:
    """What these options said; ``frozen_after`` 0 means never."""

    reconnect: bool = True
    hung_after: float = 10.0
    frozen_after: float = 60.0

    def open(self, spec: str, observe: "Observer | None" = None) -> "Source":
        """Open what ``--camera`` names, see ``capture.open_camera``."""
        from corrosion_edge.device.capture import Patience, open_camera

        frozen_after = self.frozen_after or float("inf")
        patience = Patience(hung_after=self.hung_after, frozen_after=frozen_after)
        return open_camera(spec, patience=patience, reconnect=self.reconnect, observe=observe)


def capture_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, which gets them as ``capture``."""

    @functools.wraps(command)
    def gathered(*arguments: Any, **values: Any) -> Any:
        mine = {name: values.pop(name) for name in Capture.__slots__}
        return command(*arguments, capture=Capture(**mine), **values)

    wrapped: Callable[..., Any] = gathered
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped
