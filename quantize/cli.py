"""The command ``quantize``; heavy imports happen when it runs."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from corrosion_edge.errors import GateError, UsageError
from corrosion_edge.quantize.evidence.cli import print_evidence
from corrosion_edge.quantize.evidence.further import Further
from corrosion_edge.quantize.evidence.limits import Limits
from corrosion_edge.quantize.evidence.options import also_options, limit_options
from corrosion_edge.trainer.keras_start import start_keras

if TYPE_CHECKING:
    from corrosion_edge.quantize.quantize import Result

__all__ = ["quantize"]


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DATA",
    help="The photos of the run: training ones calibrate, validation ones compare.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="MODEL.tflite",
    help="The model file; the drift reports are written beside it.",
)
@click.option(
    "--effort",
    default="search",
    show_default=True,
    type=click.Choice(["plain", "search"]),
    help="plain: TensorFlow's converter alone. search: better ranges and weights too, minutes.",
)
@also_options
@limit_options
@click.option(
    "--calibration",
    default=256,
    show_default=True,
    type=click.IntRange(2),
    metavar="N",
    help="Training photos for ranges and weights, half of each class.",
)
@click.option(
    "--seed",
    default=1,
    show_default=True,
    type=click.IntRange(0, 2**31),
    help="Seed of the choice of calibration photos.",
)
@click.option(
    "--heatmap/--no-heatmap",
    default=True,
    show_default=True,
    help="Deliver the heat map too; without it the model has one output, as some tools expect.",
)
@click.option(
    "--layers",
    is_flag=True,
    help="Also tell tensor by tensor what int8 loses, before and after: minutes.",
)
@click.option("--author", default="", metavar="TEXT", help="Who made it, for the metadata.")
@click.option("--license", default="", metavar="TEXT", help="Its licence, for the metadata.")
@click.option("--json", "as_json", is_flag=True, help="Print the drift as JSON.")  # fmt: skip
def quantize(
    run: Path,
    data: Path,
    out: Path,
    effort: str,
    also: tuple[Further, ...],
    limits: Limits,
    calibration: int,
    seed: int,
    heatmap: bool,
    layers: bool,
    author: str,
    license: str,
    as_json: bool,
) -> None:
    """Convert a trained run to full-integer TFLite and measure the drift.

    RUN is the folder of 'corrosion-edge train'. A model that drifts beyond the limits is not
    written, its report is; the exit code is then 3.
    """
    if out.suffix != ".tflite":
        raise UsageError(f"--out: expected a name that ends in .tflite, got {out}")
    start_keras()
    from corrosion_edge.output import json_text
    from corrosion_edge.quantize import quantize as quantizing

    result = quantizing.quantize(
        quantizing.Request(
            run=run,
            data=data,
            out=out,
            calibration=calibration,
            seed=seed,
            limits=limits,
            effort=effort,
            heatmap=heatmap,
            author=author,
            license=license,
            also=also,
            layers=layers,
        )
    )
    if as_json:
        from corrosion_edge.quantize.layers.measure import layers_json

        rungs = [rung.to_dict() for rung in result.rungs]
        told = result.evidence.to_dict() | {"rungs": rungs, "rung": result.taken.name}
        click.echo(json_text(told | layers_json(result.layers)), nl=False)
    else:
        _print_rungs(result)
        print_evidence(result.evidence)
        for name, found in result.layers.items():
            click.echo(f"tensors of {name}: {' '.join(found.sentences)}")
    _end(result, out)


def _print_rungs(result: "Result") -> None:
    click.echo(f"\ntaken: {result.taken.name}, {result.taken.what}")
    for rung in result.rungs:
        missed = ", ".join(rung.missed).replace("_", " ") or "none"
        click.echo(f"  {rung.name:<8} {rung.sentence}; aims missed: {missed}")


def _end(result: "Result", out: Path) -> None:
    if result.other_data:
        click.echo("note: these are not the very photos the run was trained with", err=True)
    for sentence in result.unreadable:
        click.echo(f"left out: {sentence}", err=True)
    if result.evidence.broken:
        old = f"; the {out.name} that is there is an older one" if out.exists() else ""
        raise GateError(
            f"{out} was not written: {'; '.join(result.evidence.broken)}. See {result.report}{old}"
        )
    click.echo(f"Written: {out} ({result.model_bytes / 1e6:.1f} MB), {result.report}", err=True)
    if result.unreadable:
        click.get_current_context().exit(1)
