"""The command of a soak."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from corrosion_edge import output
from corrosion_edge.benchmarks.picture_size import SIZE
from corrosion_edge.benchmarks.soak.faults import KINDS
from corrosion_edge.cli import Command
from corrosion_edge.errors import GateError
from corrosion_edge.number import Number

__all__ = ["main"]

_POSITIVE: Final = Number(min=0, min_open=True)
_NOT_NEGATIVE: Final = Number(min=0)


def _seconds(name: str, default: float, help: str) -> Callable[..., Any]:
    return click.option(name, type=_POSITIVE, default=default, show_default=True, metavar="S",
                        help=help)  # fmt: skip


_OPTIONS: Final = (
    click.option("--minutes", type=_POSITIVE, default=60.0, show_default=True, metavar="N"),
    click.option("--warm-up", type=_NOT_NEGATIVE, metavar="MINUTES",
                 help="Not judged.  [default: a sixth of the run, at most 10]"),
    _seconds("--fault-every", 30.0, "Seconds from one fault to the next, varied by half."),
    _seconds("--sample-every", 5.0, "Seconds from one look at the process to the next."),
    _seconds("--interval", 0.5, "Seconds between two verdicts of a camera."),
    _seconds("--hung-after", 5.0, "As of watch; how long faults last follows from it."),
    _seconds("--frozen-after", 15.0, "Likewise."),
    _seconds("--loop", 30.0, "Length of the looped video; rust comes and goes once in it."),
    click.option("--size", default="640x480", show_default=True, type=SIZE,
                 help="Size of the looped video."),
    click.option("--only", multiple=True, metavar="KIND", type=click.Choice(sorted(KINDS)),
                 help="Let in faults of this kind alone; may be repeated."),
    click.option("--seed", type=int, default=1, show_default=True, metavar="N"),
    click.option("--camera", "cameras", multiple=True, metavar="NAME=SOURCE",
                 help="A live camera of your own that is watched too, and left alone."),
    click.option("--server", "servers", multiple=True, metavar="COMMAND",
                 help="Serves one more camera: takes the port CAMERA_PORT (0: any) from the "
                 "environment, prints its address; it is killed and hung like the others."),
    click.option("--program", metavar="FILE", help="Stands for corrosion-edge."),
    click.option("--slope-limit", type=Number(), metavar="MB",
                 help="Megabytes an hour.  [default: 1, in runs of 30 minutes and more]"),
    click.option("--growth-limit", type=_NOT_NEGATIVE, default=1.0, show_default=True, metavar="N",
                 help="More open files, threads and children in the last quarter."),
    click.option("--latency-limit", type=_POSITIVE, default=1.5, show_default=True, metavar="N",
                 help="Times the first quarter's median."),
    click.option("--judge", is_flag=True,
                 help="Only judge what is in DIR, also of a run that broke off."),
)  # fmt: skip


def _with_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command(
    cls=Command,
    help="""Let a watch run for an hour while cameras fail, and see whether it grows.

    DIR is a new folder: it gets record, store, logs, result.json and report.html. WATCH-OPTIONS,
    after --, go to watch. Exit code 3 says that a limit was exceeded.
    """,
)
@click.argument("out", type=click.Path(path_type=Path), metavar="DIR")
@click.argument("words", nargs=-1, metavar="[-- WATCH-OPTIONS]")
@_with_options
def main(
    out: Path,
    words: tuple[str, ...],
    warm_up: float | None,
    slope_limit: float | None,
    growth_limit: float,
    latency_limit: float,
    judge: bool,
    program: str | None,
    **asked: Any,
) -> None:
    """Soak, judge, write the page."""
    from corrosion_edge.benchmarks.process import PROGRAM
    from corrosion_edge.benchmarks.soak.plan import Plan
    from corrosion_edge.benchmarks.soak.verdict import Limits

    if not judge:
        from corrosion_edge.benchmarks.soak.running import soak

        if warm_up is None:
            warm_up = min(10.0, asked["minutes"] / 6)
        own = (program,) if program else PROGRAM
        soak(Plan(**asked, warm_up=warm_up, program=own, words=words), out)
    _judge(out, Limits(slope_limit, growth_limit, latency_limit), warm_up)


def _judge(out: Path, limits: Any, warm_up: float | None) -> None:
    """Write result and page; GateError where a limit was exceeded."""
    from corrosion_edge.benchmarks.soak.page import html, text
    from corrosion_edge.benchmarks.soak.record import read_record
    from corrosion_edge.benchmarks.soak.verdict import judged

    result = judged(read_record(out), limits, warm_up)
    output.write(out / "result.json", output.json_text(result.to_dict()))
    output.write(out / "report.html", html(result))
    click.echo(text(result))
    click.echo(f"report: {out / 'report.html'}")
    if bad := result.exceeded:
        raise GateError("; ".join(f"{c.what}: {c.found}, limit {c.limit}" for c in bad))
