"""``corrosion-edge benchmark``."""

import re
import sys
from pathlib import Path
from typing import Any, Final

import click

from corrosion_edge import output
from corrosion_edge.benchmarks.job import PROCESSES
from corrosion_edge.device.accelerator.options import Accelerator, accelerator_options
from corrosion_edge.errors import GateError, UsageError

__all__ = ["DEFAULT_RUNS", "DEFAULT_SIZE", "benchmark", "picture_size"]

DEFAULT_RUNS: Final = 100
DEFAULT_SIZE: Final = "1920x1080"

_MAX_THREADS: Final = 256
_SIDES: Final = range(16, 8193)
_STDOUT: Final = "-"

_FILE: Final = click.Path(path_type=Path)


@click.command(help="Measure the latency of models on this machine.")
@click.argument("models", nargs=-1, metavar="[MODEL]...", type=_FILE)
@click.option("--threads", metavar="N,…", help="Numbers of threads [default: 1 and all cores].")
@accelerator_options(fallback=False)
@click.option("--runs", metavar="N", type=click.IntRange(1, 1_000_000), default=DEFAULT_RUNS,
              show_default=True, help="Measured runs per configuration.")  # fmt: skip
@click.option("--processes", metavar="N", type=click.IntRange(1, 100), default=PROCESSES,
              show_default=True, help="Fresh processes that share the runs.")  # fmt: skip
@click.option("--size", "sizes", metavar="WxH", multiple=True,
              help=f"Size of a camera's frame, in pixels; repeat it.  [default: {DEFAULT_SIZE}]",
              )  # fmt: skip
@click.option("--pictures", metavar="FOLDER", type=_FILE,
              help="Measure on these photos.  [default: rendered surfaces]")  # fmt: skip
@click.option("--json", "json_file", metavar="FILE", help="Write all samples as JSON; - prints.")
@click.option("--html", "html_file", metavar="FILE", type=_FILE,
              help="Write a page with tables and plots.")  # fmt: skip
def benchmark(
    models: tuple[Path, ...],
    threads: str | None,
    accelerator: Accelerator,
    sizes: tuple[str, ...],
    pictures: Path | None,
    json_file: str | None,
    html_file: Path | None,
    **counts: int,
) -> None:
    """Time every model on every number of threads; without MODEL the default one."""
    from corrosion_edge.benchmarks.runner import Plan, measure

    plan = Plan(
        models=tuple(dict.fromkeys(models)) or (None,),
        threads=_threads(threads),
        sizes=tuple(dict.fromkeys(map(picture_size, sizes or (DEFAULT_SIZE,)))),
        accelerator=accelerator,
        photos=pictures,
        **counts,
    )
    json_path = Path(json_file) if json_file not in (None, _STDOUT) else None
    _require_files({"--json": json_path, "--html": html_file})
    report = measure(plan)
    if html_file is not None:
        from corrosion_edge.benchmarks.page import html

        output.write(html_file, html(report))
    content = output.json_text(report.to_dict())
    if json_path is not None:
        output.write(json_path, content)
    _print(report, content if json_file == _STDOUT else None)


def _print(report: Any, content: str | None) -> None:
    """Show the report; GateError if any of it is void."""
    from corrosion_edge.benchmarks.wording import text, void_lines

    if content is None:
        click.echo(text(report))
    else:
        sys.stdout.write(content)
    if report.is_void:
        reasons = "; ".join(line.removeprefix("void: ") for line in void_lines(report))
        raise GateError(f"the figures are void, measure again: {reasons}")


def _require_files(options: dict[str, Path | None]) -> None:
    """Find out before the work whether its results can be written (UsageError, OutputError)."""
    for option, path in options.items():
        if path is None:
            continue
        if path.is_dir():
            raise UsageError(f"{option}: expected a file, got the folder {path}")
        output.require_writable(path.parent)


def _threads(option: str | None) -> tuple[int, ...]:
    """The numbers in ``1,2``, each once; 1 and all usable cores if the option is absent."""
    if option is None:
        from corrosion_edge.device.backends.litert import usable_cores

        return tuple(dict.fromkeys((1, usable_cores())))
    parts = option.split(",")
    if not all(re.fullmatch(r"\s*\d{1,4}\s*", part, re.ASCII) for part in parts):
        raise UsageError(f"--threads: expected whole numbers such as 1,2, got {option!r}")
    numbers = [int(part) for part in parts]
    if wrong := [number for number in numbers if not 1 <= number <= _MAX_THREADS]:
        raise UsageError(f"--threads: expected 1 to {_MAX_THREADS}, got {wrong[0]}")
    return tuple(dict.fromkeys(numbers))


def picture_size(option: str) -> tuple[int, int]:
    """Width and height of ``1920x1080``, the value of ``--size`` (UsageError)."""
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", option, re.ASCII)
    if not found:
        raise UsageError(f"--size: expected width x height such as 1920x1080, got {option!r}")
    width, height = int(found[1]), int(found[2])
    if width not in _SIDES or height not in _SIDES:
        raise UsageError(
            f"--size: expected sides of {_SIDES[0]} to {_SIDES[-1]} pixels, got {option}"
        )
    return width, height
