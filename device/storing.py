"""The options with which ``watch`` stores events, and what they make."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from corrosion_edge.errors import UsageError
from corrosion_edge.number import Number

__all__ = ["DETECTING", "STORE_OPTIONS", "storing"]


class _Named(click.Path):
    """A path; an empty text, which would stand for the current folder, is refused."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not str(value).strip():
            self.fail("expected a name, got an empty text", param, ctx)
        return super().convert(value, param, ctx)


def _smoothing(ctx: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        from corrosion_edge.device.events.settings import parse_smoothing

        try:
            parse_smoothing(value)
        except UsageError as error:
            raise click.BadParameter(str(error).removeprefix("smoothing: ")) from None
    return value


_OPTIONS: Final = (
    click.option("--store", "folder", type=_Named(path_type=Path), metavar="DIR",
                 help="Turn verdicts into events, and store them in this folder.  [default: off]"),
    click.option("--asset", metavar="NAME", help="What the camera looks at, for the events."),
    click.option("--position", metavar="TEXT", help="Where the camera looks from, for the events."),
    click.option("--smooth", callback=_smoothing, metavar="N/M|SECONDS",
                 help="An event begins or ends with N of the last M frames, such as 3/5, or by the "
                 "mean over a time, such as 30s.  [default: 3/5]"),
    click.option("--enter", type=Number(0, 1), metavar="SCORE",
                 help="Score from which a frame speaks for corrosion.  [default: the upper end of "
                 "the model's unsure scores, or else the threshold]"),
    click.option("--leave", type=Number(0, 1), metavar="SCORE",
                 help="Score down from which it speaks against.  [default: the lower end of the "
                 "model's unsure scores, or else 0.8 of the threshold]"),
    click.option("--keep-days", type=Number(0, 36500, min_open=True), metavar="DAYS",
                 help="Keep pictures and minutes so long; rows of events stay.  [default: 365]"),
    click.option("--keep-mb", type=Number(1, 1e9), metavar="MB",
                 help="Keep the store below this; oldest pictures go first.  [default: 2000]"),
    click.option("--head-file", type=_Named(path_type=Path), metavar="FILE",
                 help="Write number and hash of the newest event there, to be kept elsewhere."),
)  # fmt: skip


DETECTING: Final = ("smooth", "enter", "leave")
"""Those that say how events are made of verdicts: of use without a store too."""

STORE_OPTIONS: Final = ("folder", "asset", "position", "smooth", "enter", "leave", "keep_days",
                        "keep_mb", "head_file")  # fmt: skip
"""The names of their parameters."""


def storing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, which gets their values as further keywords."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
