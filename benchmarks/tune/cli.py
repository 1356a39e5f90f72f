"""``corrosion-edge benchmark tune``."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from corrosion_edge.cli import Command
from corrosion_edge.device.accelerator.options import Accelerator, accelerator_options

if TYPE_CHECKING:
    from corrosion_edge.benchmarks.tune.measure import Choice
    from corrosion_edge.device.classifier import Classifier

__all__ = ["tune"]


@click.command(
    cls=Command,
    help="""Find the number of threads with which a model is fastest on this board.

    With --config the choice is written into that file, where watch --config reads it.
    """,
)
@click.argument("model", required=False, type=click.Path(path_type=Path), metavar="[MODEL]")
@accelerator_options(fallback=False)
@click.option("--rounds", type=click.IntRange(min=1), default=10, show_default=True,
              help="Turns of 20 verdicts with each number.")  # fmt: skip
@click.option("--config", "file", type=click.Path(path_type=Path), metavar="FILE",
              help="Set 'threads' in its section [watch]; the rest stays as it is.")  # fmt: skip
def tune(model: Path | None, accelerator: Accelerator, rounds: int, file: Path | None) -> None:
    """Measure, choose, tell, write."""
    from corrosion_edge.benchmarks.tune.measure import candidates, choose, measure
    from corrosion_edge.benchmarks.tune.writing import write_threads
    from corrosion_edge.device.backends.litert import usable_cores

    if file is not None:
        from corrosion_edge import output

        output.require_writable(file.parent)
    choices = measure(partial(_opened, model, accelerator), candidates(usable_cores()), rounds)
    chosen = choose(choices)
    for choice in choices:
        click.echo(_line(choice, chosen=choice is chosen))
    if file is None:
        click.echo(f"run watch and classify with --threads {chosen.threads}, or tune with --config")
        return
    before = write_threads(file, chosen.threads)
    told = "" if before in (None, chosen.threads) else f", before {before}"
    click.echo(f"{file}: threads = {chosen.threads}{told}")


def _opened(model: Path | None, accelerator: Accelerator, threads: int) -> "Classifier":
    from corrosion_edge.device.classifier import Classifier

    return Classifier.open(model, opening=accelerator.openings(threads=threads))


def _line(choice: "Choice", *, chosen: bool) -> str:
    words = f"{choice.threads} thread{'s' * (choice.threads > 1)}"
    times = f"{choice.times:.2f} times the fastest"
    mark = "  chosen" if chosen else ""
    return f"{words:<12}p50 {choice.p50_ms:7.2f} ms  p99 {choice.p99_ms:7.2f} ms  {times}{mark}"
