"""``corrosion-edge benchmark``."""

import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

import click

from corrosion_edge import output
from corrosion_edge.benchmarks.compare_cli import compare
from corrosion_edge.benchmarks.delivered import PIXEL_FORMATS, PixelFormat
from corrosion_edge.benchmarks.group import DefaultGroup
from corrosion_edge.benchmarks.job import PROCESSES
from corrosion_edge.benchmarks.picture_size import SIZE
from corrosion_edge.benchmarks.roofline.cli import roofline
from corrosion_edge.benchmarks.submit_cli import submit
from corrosion_edge.benchmarks.threads import parse_threads
from corrosion_edge.benchmarks.tune.cli import tune
from corrosion_edge.benchmarks.writing import STDOUT, require_files, require_none
from corrosion_edge.device.accelerator.options import Accelerator, accelerator_options
from corrosion_edge.errors import UsageError
from corrosion_edge.number import Number

__all__ = ["DEFAULT_RUNS", "DEFAULT_SIZE", "benchmark"]

DEFAULT_RUNS: Final = 100
DEFAULT_SIZE: Final = "1920x1080"

_FILE: Final = click.Path(path_type=Path)


@click.group(cls=DefaultGroup, help="Measure the latency of models on this machine.")
def benchmark() -> None:
    """Measure, or do what a subcommand says."""


@benchmark.default
@click.argument("models", nargs=-1, metavar="[MODEL]...", type=_FILE)
@click.option("--threads", metavar="N,…", help="Numbers of threads [default: 1 and all cores].")
@accelerator_options(fallback=False)
@click.option("--runs", metavar="N", type=click.IntRange(1, 1_000_000), default=DEFAULT_RUNS,
              show_default=True, help="Measured runs per configuration.")  # fmt: skip
@click.option("--processes", metavar="N", type=click.IntRange(1, 100), default=PROCESSES,
              show_default=True, help="Fresh processes that share the runs.")  # fmt: skip
@click.option("--size", "sizes", type=SIZE, multiple=True, default=[DEFAULT_SIZE],
              show_default=DEFAULT_SIZE, help="Size of a camera's frame, in pixels; repeat it.",
              )  # fmt: skip
@click.option("--pictures", metavar="FOLDER", type=_FILE,
              help="Measure on these photos.  [default: rendered surfaces]")  # fmt: skip
@click.option("--pixel-format", type=click.Choice(PIXEL_FORMATS), default=PIXEL_FORMATS[0],
              show_default=True, help="What a frame is delivered as: by decoders and USB cameras, "
              "or by picamera2.")  # fmt: skip
@click.option("--sustained", "minutes", metavar="MINUTES", type=Number(0, min_open=True),
              help="Afterwards run each configuration for so long, looked at each second.",
              )  # fmt: skip
@click.option("--rate", metavar="FPS", type=Number(0, min_open=True),
              help="Frames a second of the sustained runs.  [default: full speed]")  # fmt: skip
@click.option("--meter", metavar="SENSOR", help="Power sensor of the kernel: ina219:BUS:ADDRESS "
              "or ina226:BUS:ADDRESS, for the sustained runs.")  # fmt: skip
@click.option("--meter-command", metavar="CMD", help="Command that prints watts, a number on a "
              "line, for the sustained runs.")  # fmt: skip
@click.option("--json", "json_file", metavar="FILE", type=_FILE,
              help="Write all samples as JSON; - prints.")  # fmt: skip
@click.option("--markdown", "markdown_file", metavar="FILE", type=_FILE,
              help="Write the tables as Markdown; - prints.")  # fmt: skip
@click.option("--html", "html_file", metavar="FILE", type=_FILE,
              help="Write a page with tables and plots.")  # fmt: skip
def run(
    models: tuple[Path, ...],
    threads: str | None,
    accelerator: Accelerator,
    sizes: tuple[tuple[int, int], ...],
    pictures: Path | None,
    pixel_format: PixelFormat,
    minutes: float | None,
    rate: float | None,
    meter: str | None,
    meter_command: str | None,
    json_file: Path | None,
    markdown_file: Path | None,
    html_file: Path | None,
    **counts: int,
) -> None:
    """Time every model on every number of threads; without MODEL the default one."""
    from corrosion_edge.benchmarks.meter import open_meter
    from corrosion_edge.benchmarks.runner import Plan, measure

    if minutes is None and (told := rate or meter or meter_command):
        option = "--rate" if told is rate else "--meter" if told is meter else "--meter-command"
        raise UsageError(f"{option}: needs --sustained MINUTES, it is for sustained runs")

    plan = Plan(
        models=tuple(dict.fromkeys(models)) or (None,),
        threads=_threads(threads),
        sizes=tuple(dict.fromkeys(sizes)),
        accelerator=accelerator,
        photos=pictures,
        pixel_format=pixel_format,
        minutes=minutes or 0.0,
        rate=rate or 0.0,
        **counts,
    )
    files = {"--json": json_file, "--markdown": markdown_file, "--html": html_file}
    require_files(files, printing=("--json", "--markdown"))
    with open_meter(meter, meter_command) or nullcontext() as opened:
        report = measure(plan, meter=opened)
    _tell(report, files)


@benchmark.command(name="schema", help="Print the JSON schema of a report.")
def print_schema() -> None:
    """Print it."""
    from corrosion_edge.benchmarks.schema import LatencyReport

    sys.stdout.write(output.json_text(LatencyReport.schema()))


for _command in (compare, roofline, submit, tune):
    benchmark.add_command(_command)


def _tell(report: Any, files: Mapping[str, Path | None]) -> None:
    """Write or print what was asked for, or print a table; GateError if any figure is void."""
    from corrosion_edge.benchmarks.wording import text, void_lines

    for option, path in files.items():
        if path is not None and path != STDOUT:
            output.write(path, _content(option, report))
    printed = [option for option, path in files.items() if path == STDOUT]
    if printed:
        sys.stdout.write(_content(printed[0], report))
    else:
        click.echo(text(report))
    require_none([line.removeprefix("void: ") for line in void_lines(report)])


def _content(option: str, report: Any) -> str:
    """The report as that option writes it."""
    if option == "--json":
        return output.json_text(report.to_dict())
    from corrosion_edge.benchmarks.markdown import markdown
    from corrosion_edge.benchmarks.page import html, page

    return html(report) if option == "--html" else markdown(page(report))


def _threads(option: str | None) -> tuple[int, ...]:
    """Those of the option; 1 and all usable cores if it is absent."""
    if option is None:
        from corrosion_edge.device.backends.litert import usable_cores

        return tuple(dict.fromkeys((1, usable_cores())))
    return parse_threads(option)
