"""The options that say what a network runs on, and what they make."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from corrosion_edge.device.accelerator.delegate import LIBRARY, Delegate
from corrosion_edge.device.kernels import KERNELS
from corrosion_edge.errors import UsageError

if TYPE_CHECKING:
    from corrosion_edge.device.accelerator.opening import Openings

__all__ = ["KINDS", "Accelerator", "accelerator_options"]

KINDS: Final = ("auto", "cpu", "edgetpu")
"""``auto``: the Edge TPU for a network that was compiled for it, else the CPU."""


@dataclass(frozen=True, slots=True)
class Accelerator:
    """What the options said.

    ``accelerator`` is one of ``KINDS``, ``kernels`` (the CPU's) of
    ``kernels.KERNELS``, ``fallback`` none or cpu.
    """

    accelerator: str = "auto"
    kernels: str = KERNELS[0]
    delegate: str = LIBRARY
    accelerator_device: str = ""
    fallback: str = "none"
    fallback_model: Path | None = None

    @property
    def idle_on_cpu(self) -> str:
        """The first option that was given and does nothing where a CPU is all; '' for none."""
        given = {
            "--fallback": self.fallback != "none",
            "--delegate": self.delegate != LIBRARY,
            "--accelerator-device": bool(self.accelerator_device),
        }
        return next((name for name, is_given in given.items() if is_given), "")

    def require_possible(self) -> None:
        """UsageError for options that cannot be together, whatever the model is."""
        if self.fallback_model is not None and self.fallback == "none":
            raise UsageError("--fallback-model: needs --fallback cpu")
        if self.accelerator == "cpu" and (idle := self.idle_on_cpu):
            raise UsageError(f"{idle}: needs an accelerator, not --accelerator cpu")
        Delegate(self.delegate, self.accelerator_device)

    def openings(self, **how: Any) -> "Openings":
        """What opens networks so, see ``Openings`` (UsageError)."""
        from corrosion_edge.device.accelerator.opening import Openings

        return Openings(self, **how)


_KIND = click.option(
    "--accelerator",
    type=click.Choice(KINDS),
    default="auto",
    show_default=True,
    help="What the network runs on; auto: the Edge TPU if it was compiled for it, else the CPU.",
)
_KERNELS = click.option(
    "--kernels",
    type=click.Choice(KERNELS),
    default=KERNELS[0],
    show_default=True,
    help="What computes on the CPU: XNNPACK, or the runtime's own kernels, mostly slower.",
)
_DELEGATE = click.option(
    "--delegate",
    default=LIBRARY,
    show_default=True,
    metavar="LIBRARY",
    help="The Edge TPU's library, by name or path.",
)
_DEVICE = click.option(
    "--accelerator-device",
    default="",
    metavar="DEVICE",
    help="Which Edge TPU: usb, pci, usb:0, pci:0 or :0.  [default: the first]",
)
_FALLBACK = click.option(
    "--fallback",
    type=click.Choice(["none", "cpu"]),
    default="none",
    show_default=True,
    help="What answers while the Edge TPU is away: nothing, or the CPU, which every line says.",
)
_FALLBACK_MODEL = click.option(
    "--fallback-model",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What --model was compiled from, for the CPU.  [default: by its name, beside --model]",
)


def accelerator_options(
    *, fallback: bool, kernels: bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the options, with those of a ``fallback`` and ``kernels`` or without, to a command.

    It gets ``accelerator``.
    """
    options = [_KIND, *([_KERNELS] if kernels else []), _DELEGATE, _DEVICE,
               *([_FALLBACK, _FALLBACK_MODEL] if fallback else [])]  # fmt: skip

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def gathered(*arguments: Any, **values: Any) -> Any:
            mine = {name: values.pop(name) for name in Accelerator.__slots__ if name in values}
            return command(*arguments, accelerator=Accelerator(**mine), **values)

        wrapped: Callable[..., Any] = gathered
        for option in reversed(options):
            wrapped = option(wrapped)
        return wrapped

    return add
