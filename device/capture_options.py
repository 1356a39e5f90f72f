"""The options of ``watch`` that say how its cameras are read."""

import functools
import math
import re
from collections.abc import Callable
from typing import Any

import click

from corrosion_edge.device.capturing import Capture
from corrosion_edge.number import Number

__all__ = ["capture_options"]


def _size(ctx: click.Context, option: click.Parameter, value: str | None) -> Any:
    if value is None:
        return None
    if not (found := re.fullmatch(r"([1-9]\d{0,3})x([1-9]\d{0,3})", value)):
        raise click.BadParameter(f"expected two counts such as {option.metavar}, got {value!r}")
    return int(found[1]), int(found[2])


def _resolution(ctx: click.Context, option: click.Parameter, value: str | None) -> Any:
    size = _size(ctx, option, value)
    if size is not None:
        from corrosion_edge.device.capture.framing import Framing
        from corrosion_edge.errors import UsageError

        try:
            Framing(size)
        except UsageError as error:
            raise click.BadParameter(str(error).removeprefix("resolution: ")) from None
    return size


def _tiles(ctx: click.Context, option: click.Parameter, value: str | None) -> Any:
    found = _size(ctx, option, value)
    if found is not None:
        from corrosion_edge.device.capture.tiles import MOST

        if max(found) > MOST:
            raise click.BadParameter(f"expected 1x1 to {MOST}x{MOST}, got {value}")
    return found


def _rate(ctx: click.Context, option: click.Parameter, value: float | None) -> float | None:
    if value is not None and not (math.isfinite(value) and value > 0):
        raise click.BadParameter(f"expected more than 0 frames a second, got {value}")
    return value


def _region(ctx: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        from corrosion_edge.device.capture.region import Region
        from corrosion_edge.errors import UsageError

        try:
            Region.parse(value)
        except UsageError as error:
            raise click.BadParameter(str(error).removeprefix("roi: ")) from None
    return value


def _limit(name: str, default: float, rule: str) -> Callable[..., Any]:
    kind = Number(min=0)
    return click.option(
        name, type=kind, default=default, show_default=True, metavar="X", help=f"Unusable: {rule}"
    )


_OPTIONS = (
    click.option(
        "--follow",
        is_flag=True,
        default=False,
        help="After the photos of a folder, wait for new ones in it.",
    ),
    click.option(
        "--resolution",
        callback=_resolution,
        metavar="1280x720",
        help="Size asked of the camera, sides of up to 9400; what it cannot do is scaled here.",
    ),
    click.option(
        "--rate",
        type=float,
        callback=_rate,
        metavar="FPS",
        help="Frames a second asked of the camera; what it cannot do is skipped here.",
    ),
    click.option(
        "--rotate",
        type=click.Choice(["0", "90", "180", "270"]),
        default="0",
        show_default=True,
        help="Degrees by which the picture is turned clockwise.",
    ),
    click.option(
        "--roi",
        callback=_region,
        metavar="X,Y,W,H",
        help="Judge this part of the turned picture: in pixels, or with a point as fractions.",
    ),
    click.option(
        "--tiles",
        callback=_tiles,
        metavar="3x2",
        help="Judge so many columns and rows of tiles apart; the worst one counts.",
    ),
    click.option(
        "--scale-at-source/--no-scale-at-source",
        default=True,
        show_default=True,
        help="Let the decoder or the camera's image processor scale whole pictures.",
    ),
    click.option(
        "--quality/--no-quality",
        default=True,
        show_default=True,
        help="Give no verdict on frames that are too dark, bright, covered or blurred.",
    ),
    _limit("--dark-below", 48.0, "99 % of the pixels are darker than this grey, of 255."),
    _limit("--bright-above", 240.0, "95 % are at least this bright, of 255."),
    _limit("--covered-below", 5.0, "nine of ten blocks vary by less grey (deviation)."),
    _limit("--blurred-below", 20.0, "the variance of the Laplacian, at 224x224, is less."),
    click.option(
        "--reconnect/--no-reconnect",
        default=True,
        show_default=True,
        help="Open a live camera again when it fails; only once it has delivered a frame.",
    ),
    click.option(
        "--await-cameras/--no-await-cameras",
        default=False,
        show_default=True,
        help="Wait for a live camera or folder that is not there at the start, as for a lost one.",
    ),
    click.option(
        "--hung-after",
        type=Number(min=0.1),
        default=10.0,
        show_default=True,
        metavar="S",
        help="Seconds without a frame after which a camera, ten of its frames at least, or a video "
        "file is given up.",
    ),
    click.option(
        "--frozen-after",
        type=Number(min=0.0),
        default=60.0,
        show_default=True,
        metavar="S",
        help="Seconds of the very same picture after which it is frozen; 0 for never.",
    ),
)


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
