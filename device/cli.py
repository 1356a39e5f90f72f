"""The command ``watch``: what a device runs for years."""

import math
import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corrosion_edge.device.accelerator.options import Accelerator, accelerator_options
from corrosion_edge.device.capture_options import capture_options
from corrosion_edge.device.capturing import Capture
from corrosion_edge.device.checks import CHECKS, require_secrets
from corrosion_edge.device.config import Configurable, config_options, show_config
from corrosion_edge.device.model_options import (
    key_option,
    model_option,
    threads_option,
    verify_option,
)
from corrosion_edge.device.outlets import Outlets, Watched, outlet_options
from corrosion_edge.device.storing import STORE_OPTIONS, storing
from corrosion_edge.threshold import Choice, threshold_option

if TYPE_CHECKING:
    from corrosion_edge.device.sinks import Sink

__all__ = ["watch"]

_watch_model = click.option(
    "--watch-model/--no-watch-model",
    default=True,
    show_default=True,
    help="Change to what is put in place of the file that --model names, if that is sound.",
)


def _seconds(ctx: click.Context, option: click.Parameter, value: float) -> float:
    if not (math.isfinite(value) and value >= 0):
        raise click.BadParameter(f"expected 0 seconds or more, got {value}")
    return value


@click.command(
    cls=Configurable,
    checks=CHECKS,
    help="""Classify live frames of a camera.

    SOURCE is auto (the first camera), picamera2, picamera2:N, a device such as /dev/video0, an
    RTSP or HTTP address, a video file, a folder, or demo. Several live cameras at once each have
    a name. Ctrl-C ends it.
    """,
)
@click.option(
    "--camera",
    is_flag=False,
    flag_value="auto",
    multiple=True,
    metavar="[[NAME=]SOURCE]",
    help="Where the frames come from; several with names.  [default: auto]",
)
@model_option
@threshold_option
@click.option(
    "--frames", type=click.IntRange(min=1), metavar="N", help="End after so many verdicts."
)
@click.option(
    "--interval",
    type=float,
    default=0.0,
    callback=_seconds,
    metavar="S",
    help="Least time between two verdicts in seconds; in a video file, of the video's time.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@_watch_model
@capture_options
@threads_option
@accelerator_options(fallback=True)
@key_option
@verify_option
@storing
@outlet_options
@config_options
@click.pass_context
def watch(
    ctx: click.Context,
    *,
    model: Path | None,
    threshold: Choice,
    frames: int | None,
    as_json: bool,
    capture: Capture,
    threads: int | None,
    accelerator: Accelerator,
    key: Path | None,
    level: str,
    watch_model: bool,
    outlets: Outlets,
    print_config: bool,
    **rest: Any,
) -> None:
    """Print verdicts until the source ends, enough are out, or somebody ends it."""
    if print_config:
        show_config(ctx)
        return
    from corrosion_edge.device.heap import GivingBack, bound_arenas

    bound_arenas()  # before anything that starts threads is imported
    require_secrets(ctx.params)
    from corrosion_edge.device.cameras import Cameras
    from corrosion_edge.device.clock_watch import ClockWatch
    from corrosion_edge.device.loading import opened
    from corrosion_edge.device.running import kept, loading, run, say_what_runs, warn
    from corrosion_edge.device.service.heart import Heart
    from corrosion_edge.device.service.notify import Notifier
    from corrosion_edge.device.sinks import JsonSink, TextSink, telling
    from corrosion_edge.device.stop import Stop, on_hangup
    from corrosion_edge.device.store.asked import require_sound
    from corrosion_edge.device.store.watching import detection, recording
    from corrosion_edge.device.swap import Models

    failed = 0
    stored = {name: rest[name] for name in STORE_OPTIONS}
    with GivingBack(), Stop().on(signal.SIGINT, signal.SIGTERM) as stop:
        try:
            cameras = Cameras.of(ctx, capture)
            require_sound(stored, cameras.folders)
            opening = partial(opened, model, key, accelerator, threads=threads, level=level,
                              recover=True)  # fmt: skip
            how = loading(opening, model, threshold, level, stored, detects=outlets.detects)
            watched = model is not None and watch_model
            sink: Sink = JsonSink() if as_json else TextSink()
            sinks = [sink]
            with (
                Models.opened(
                    how,
                    cameras.view,
                    warn,
                    watched=watched,
                    last_good=kept(model, stored["folder"]),
                ) as models,
                on_hangup(models.check_now),
                sink,
                cameras.open(telling(sinks, stop), models.classifier) as source,
                Heart(Notifier()) as heart,
            ):
                clock = ClockWatch()
                say_what_runs(source, models.classifier)
                alone = "" if cameras.names else source.name
                assets = cameras.assets(alone)
                known = Watched(models, tuple(assets), stored["folder"], source.dropped_by_camera,
                                partial(detection, options=stored), cameras.spacings)  # fmt: skip
                # Outlets open before the store, so that a mistake there leaves no event in it; they
                # begin when it is open, and close after it, to tell of its last events.
                with (
                    outlets.opened(known) as telling_begins,
                    recording(stored, models, assets, alone,
                              detects=outlets.detects, source=source,
                              told=sink.stored) as further,
                ):  # fmt: skip
                    models.keep()
                    sinks[:0] = further  # stored first, so that what is printed is there
                    sinks += telling_begins()
                    failed = run(source, models, sinks, frames=frames, stop=stop, pulse=heart,
                                 interval=partial(cameras.interval, source),
                                 clock=clock.news)  # fmt: skip
        except KeyboardInterrupt:
            click.echo("ended on request", err=True)
    ctx.exit(int(failed > 0))
