"""The command ``quantize``; heavy imports happen when it runs."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from corrosion_edge.errors import GateError, UsageError
from corrosion_edge.quantize.choices import EFFORTS, TARGETS
from corrosion_edge.quantize.evidence.cli import print_evidence
from corrosion_edge.quantize.evidence.further import Further
from corrosion_edge.quantize.evidence.limits import Limits
from corrosion_edge.quantize.evidence.options import also_options, limit_options
from corrosion_edge.quantize.precision.options import (
    compare_option,
    precision_option,
    require_int8,
)
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
    type=click.Choice(list(EFFORTS)),
    help="plain: TensorFlow's converter alone. search: better ranges and weights too, minutes. "
    "finetune: then training with rounded activations, if search missed an aim.",
)
@click.option(
    "--target",
    default="cpu",
    show_default=True,
    type=click.Choice(list(TARGETS)),
    help="edgetpu: deliver only what a Coral runs whole; compiled too, where edgetpu_compiler is.",
)
@precision_option
@compare_option
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
    target: str,
    precision: str,
    compare: tuple[str, ...],
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
    require_int8(precision)
    start_keras()
    from corrosion_edge.output import json_text
    from corrosion_edge.quantize import quantize as quantizing
    from corrosion_edge.quantize.precision.page import lines

    result = quantizing.quantize(
        quantizing.Request(
            run=run,
            data=data,
            out=out,
            calibration=calibration,
            seed=seed,
            limits=limits,
            effort=effort,
            target=target,
            precision=precision,
            compare=compare,
            heatmap=heatmap,
            author=author,
            license=license,
            also=also,
            layers=layers,
        )
    )
    if as_json:
        click.echo(json_text(result.evidence.to_dict() | result.found.to_dict()), nl=False)
    else:
        _print_rungs(result)
        print_evidence(result.evidence)
        if result.found.compared is not None:
            click.echo("\n".join(lines(result.found.compared)))
        for name, found in result.found.layers.items():
            click.echo(f"tensors of {name}: {' '.join(found.sentences)}")
        if target == "edgetpu":
            click.echo("\n" + "\n".join(result.found.aimed.lines()))
    _end(result, out, target)


def _print_rungs(result: "Result") -> None:
    click.echo(f"\ntaken: {result.found.taken.name}, {result.found.taken.what}")
    for rung in result.found.rungs:
        missed = ", ".join(rung.missed).replace("_", " ") or "none"
        click.echo(f"  {rung.name:<8} {rung.sentence}; aims missed: {missed}")


def _tell_compiled(result: "Result", out: Path) -> None:
    from corrosion_edge.quantize.edgetpu.target import beside, next_steps

    if result.found.aimed.predicted:
        click.echo(next_steps(out), err=True)
        if beside(out).exists():
            click.echo(f"note: the {beside(out).name} that is there is an older one", err=True)
    else:
        click.echo(f"Written: {beside(out)}, compiled for the Edge TPU", err=True)


def _end(result: "Result", out: Path, target: str) -> None:
    if result.other_data:
        click.echo("note: these are not the very photos the run was trained with", err=True)
    for sentence in result.unreadable:
        click.echo(f"left out: {sentence}", err=True)
    if result.refused:
        old = f"; the {out.name} that is there is an older one" if out.exists() else ""
        raise GateError(
            f"{out} was not written: {'; '.join(result.refused)}. See {result.report}{old}"
        )
    click.echo(f"Written: {out} ({result.model_bytes / 1e6:.1f} MB), {result.report}", err=True)
    if target == "edgetpu":
        _tell_compiled(result, out)
    if result.unreadable:
        click.get_current_context().exit(1)
