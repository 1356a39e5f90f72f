"""The options of the page and the metrics; nothing of them is imported without one."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from corrosion_edge.errors import ExtraError, UsageError

if TYPE_CHECKING:
    from corrosion_edge.device.outlets import Watched
    from corrosion_edge.device.sinks import Sink
    from corrosion_edge.device.web.server import Place
    from corrosion_edge.device.web.token import Token

__all__ = ["METRICS_AT", "OPTIONS", "PAGE_AT", "open_web"]

PAGE_AT: Final = "127.0.0.1:8080"
METRICS_AT: Final = "127.0.0.1:9464"
"""Where they are unless named otherwise; 9464 is what OpenTelemetry's exporter has."""


def _address(ctx: click.Context, option: click.Parameter, value: str | None) -> str | None:
    from corrosion_edge.device.web.address import Address

    if value is not None:
        try:
            Address.parse(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None
    return value


OPTIONS: Final = (
    click.option("--web", is_flag=False, flag_value=PAGE_AT, callback=_address,
                 metavar="[HOST:PORT]",
                 help="Show a page with picture, state, scores, events and health at "
                 f"{PAGE_AT}, or there.  [default: off]"),
    click.option("--metrics", is_flag=False, flag_value=METRICS_AT, callback=_address,
                 metavar="[HOST:PORT]",
                 help="Serve metrics for Prometheus alone at "
                 f"{METRICS_AT}, or there; the page has them too.  [default: off]"),
    click.option("--web-token-file", type=click.Path(path_type=Path), metavar="FILE",
                 help="The token that page and metrics demand; needed where others than this "
                 "machine reach them."),
)  # fmt: skip


def open_web(values: Mapping[str, Any], watched: "Watched") -> "Sink | None":
    """The page's sink, if it is asked for (UsageError, ExtraError, KeyFileError, OutputError)."""
    asked = {name: values[name] for name in ("web", "metrics") if values[name] is not None}
    if not asked:
        if values["web_token_file"] is not None:
            raise UsageError("--web-token-file: needs --web or --metrics")
        return None
    from corrosion_edge.cli import missing_extra

    try:
        return _opened(asked, values["web_token_file"], watched)
    except ModuleNotFoundError as error:
        raise ExtraError(f"--{next(iter(asked))}: {missing_extra(error)}") from None


def _opened(asked: Mapping[str, str], file: Path | None, watched: "Watched") -> "Sink":
    from corrosion_edge.device.events.following import Following
    from corrosion_edge.device.web.live import Live
    from corrosion_edge.device.web.server import WebSink
    from corrosion_edge.device.web.smoothed import Smoothed
    from corrosion_edge.device.web.view import View

    token = _token(file)
    places = _places(asked, token is not None)
    one = watched.classifier
    following = Following(watched.cameras, watched.detection, one.threshold, one.band)
    live = Live(watched.cameras, smoothed=Smoothed(following))
    sink = WebSink(View.of(watched, live), places, token)
    for place, port in zip(places, sink.ports, strict=True):
        what = "metrics" if place.metrics_only else "page"
        shown = str(place.address).rpartition(":")[0]
        click.echo(f"{what} at http://{shown}:{port}/{'metrics' if place.metrics_only else ''}",
                   err=True)  # fmt: skip
    return sink


def _token(file: Path | None) -> "Token | None":
    from corrosion_edge.device.web.token import Token, read_token

    return Token(read_token(file)) if file is not None else None


def _places(asked: Mapping[str, str], token: bool) -> "list[Place]":
    from corrosion_edge.device.web.address import Address, require_safe
    from corrosion_edge.device.web.server import Place

    places = [Place(f"--{name}", Address.parse(at), metrics_only=name == "metrics")
              for name, at in asked.items()]  # fmt: skip
    for place in places:
        require_safe(place.address, token, place.option)
    if len(places) == 2 and places[0].address == places[1].address and places[0].address.port:
        places.pop()  # the page has the metrics
    return places
