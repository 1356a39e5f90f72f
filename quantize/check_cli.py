"""The command ``check``; what it needs is imported when it runs."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from corrosion_edge.errors import BundleError, GateError

if TYPE_CHECKING:
    from corrosion_edge.quantize.edgetpu.check import Report
    from corrosion_edge.quantize.edgetpu.score import Score

__all__ = ["check"]


@click.command()
@click.argument("model", type=click.Path(path_type=Path), metavar="MODEL.tflite")
@click.option(
    "--target",
    type=click.Choice(["edgetpu"]),
    default="edgetpu",
    show_default=True,
    help="The accelerator.",
)
@click.option(
    "--allow-cpu",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="N",
    help="How many ops may stay on the CPU.",
)
@click.option(
    "--compile",
    "compiling",
    is_flag=True,
    help="Also run edgetpu_compiler, and say where it differs.",
)
@click.option(
    "--compiled",
    type=click.Path(path_type=Path),
    metavar="COMPILED.tflite",
    help="What edgetpu_compiler made of MODEL: say op by op where the check was wrong.",
)
@click.option("--all", "every", is_flag=True, help="A row for every op.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(
    model: Path,
    target: str,
    allow_cpu: int,
    compiling: bool,
    compiled: Path | None,
    every: bool,
    as_json: bool,
) -> None:
    """Tell op by op what of a TFLite model an accelerator would run.

    Reads the file alone: no compiler and no accelerator is needed. The exit code is 3 if more than
    N ops do not surely run on the accelerator; with --compiled, if the compiler left more than N.
    """
    from corrosion_edge.output import json_text
    from corrosion_edge.quantize.edgetpu import compiler, text
    from corrosion_edge.quantize.edgetpu.check import check as checked

    content = _read(model)
    report = checked(content, str(model))
    log = compiler.compile_model(content, str(model)).log if compiling else None
    made = _scored(report, content, compiled) if compiled else None
    if as_json:
        told = text.as_json(report, allow_cpu, log)
        told |= {"compiled": made.to_dict()} if made else {}
        click.echo(json_text(told), nl=False)
    else:
        click.echo("\n".join(text.lines(report, every=every)))
        click.echo("".join(f"{line}\n" for line in text.compared(report, log)), nl=False)
        click.echo("".join(f"{line}\n" for line in made.lines()) if made else "", nl=False)
    if made:
        _require_mapped(made, model, allow_cpu)
    elif not report.passes(allow_cpu):
        raise GateError(text.failure(report, allow_cpu))


def _scored(report: "Report", content: bytes, compiled: Path) -> "Score":
    from corrosion_edge.quantize.edgetpu.score import score

    made = _read(compiled)
    try:
        return score(report, content, made)
    except BundleError as error:
        raise BundleError(f"{compiled}: {error}") from None


def _require_mapped(made: "Score", model: Path, allow_cpu: int) -> None:
    if len(made.left) > allow_cpu:
        raise GateError(
            f"{model}: the compiler left {len(made.left)} ops on the CPU, --allow-cpu allows "
            f"{allow_cpu}"
        )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}") from error
