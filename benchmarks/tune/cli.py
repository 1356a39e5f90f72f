"""``corrosion-edge benchmark tune``."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from corrosion_edge.cli import Command
from corrosion_edge.device.accelerator.options import Accelerator, accelerator_options

if TYPE_CHECKING:
    from corrosion_edge.benchmarks.tune.measure import Choice, Setting
    from corrosion_edge.device.classifier import Classifier

__all__ = ["tune"]


@click.command(
    cls=Command,
    help="""Find the settings with which a model is fastest on this board: threads and kernels.

    With --config the choice is written into that file, where watch --config reads it; the model and
    the accelerator are then those of the file, unless they are named here.
    """,
)
@click.argument("model", required=False, type=click.Path(path_type=Path), metavar="[MODEL]")
@accelerator_options(fallback=False, kernels=False)
@click.option("--rounds", type=click.IntRange(min=1), default=10, show_default=True,
              help="Turns of 20 verdicts with each setting.")  # fmt: skip
@click.option("--config", "file", type=click.Path(path_type=Path), metavar="FILE",
              help="Set 'threads' and 'kernels' in its section [watch]; the rest stays as it is.",
              )  # fmt: skip
@click.pass_context
def tune(
    ctx: click.Context,
    model: Path | None,
    accelerator: Accelerator,
    rounds: int,
    file: Path | None,
) -> None:
    """Measure, choose, tell, write."""
    from corrosion_edge.benchmarks.tune.measure import candidates, choose, measure
    from corrosion_edge.benchmarks.tune.writing import write_keys
    from corrosion_edge.bundle import DEFAULT_MODEL, Bundle
    from corrosion_edge.device.backends.litert import usable_cores
    from corrosion_edge.device.kernels import KERNELS

    if file is not None:
        from corrosion_edge import output

        output.require_writable(file.parent)
        if file.exists():
            model, accelerator = _as_watched(ctx, file, model, accelerator)
    click.echo(f"model: {model or 'the default model'}")
    compiled = Bundle.load(model or DEFAULT_MODEL).manifest.compiled  # for an Edge TPU
    settings = candidates(usable_cores(), KERNELS[:1] if compiled else KERNELS)
    choices = measure(partial(_opened, model, accelerator), settings, rounds)
    chosen = choose(choices)
    for choice in choices:
        click.echo(_line(choice, chosen=choice is chosen))
    for choice in choices:
        if choice.refused:
            click.echo(f"refused: {choice.refused}")
    best: dict[str, int | str] = {
        "threads": chosen.setting.threads,
        "kernels": chosen.setting.kernels,
    }
    if file is None:
        words = " ".join(f"--{key} {value}" for key, value in best.items())
        click.echo(f"run watch and classify with {words}, or tune with --config")
        return
    before = write_keys(file, best)
    for key, value in best.items():
        told = f", before {before[key]}" if before.get(key, value) != value else ""
        click.echo(f"{file}: {key} = {value}{told}")


def _as_watched(
    ctx: click.Context, file: Path, model: Path | None, accelerator: Accelerator
) -> "tuple[Path | None, Accelerator]":
    """What ``watch --config`` would run, but for what was named here (UsageError)."""
    from corrosion_edge.device.config.asked import asked_of

    asked = asked_of(file).params
    told = {name: asked[name] for name in ("accelerator", "accelerator_device", "delegate")
            if ctx.get_parameter_source(name) is not ParameterSource.COMMANDLINE}  # fmt: skip
    return model or asked["model"], replace(accelerator, **told)


def _opened(model: Path | None, accelerator: Accelerator, setting: "Setting") -> "Classifier":
    from corrosion_edge.device.classifier import Classifier

    asked = replace(accelerator, kernels=setting.kernels)
    return Classifier.open(model, opening=asked.openings(threads=setting.threads))


def _line(choice: "Choice", *, chosen: bool) -> str:
    threads, kernels = choice.setting.threads, choice.setting.kernels
    words = f"{kernels}, {threads} thread{'s' * (threads > 1)}"
    times = f"{choice.times:.2f} times the fastest"
    mark = "  chosen" if chosen else "  refused" if choice.refused else ""
    return f"{words:<20}p50 {choice.p50_ms:7.2f} ms  p99 {choice.p99_ms:7.2f} ms  {times}{mark}"
