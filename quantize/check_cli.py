"""The command ``check``; what it needs is imported when it runs."""

from pathlib import Path

import click

from corrosion_edge.errors import BundleError, GateError

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
@click.option("--all", "every", is_flag=True, help="A row for every op.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(
    model: Path, target: str, allow_cpu: int, compiling: bool, every: bool, as_json: bool
) -> None:
    """Tell op by op what of a TFLite model an accelerator would run.

    Reads the file alone: no compiler and no accelerator is needed. The exit code is 3 if more than
    N ops do not surely run on the accelerator.
    """
    from corrosion_edge.output import json_text
    from corrosion_edge.quantize.edgetpu import compiler, text
    from corrosion_edge.quantize.edgetpu.check import check as checked

    content = _read(model)
    report = checked(content, str(model))
    log = compiler.compile_model(content, str(model)).log if compiling else None
    if as_json:
        click.echo(json_text(text.as_json(report, allow_cpu, log)), nl=False)
    else:
        click.echo("\n".join(text.lines(report, every=every)))
        click.echo("".join(f"{line}\n" for line in text.compared(report, log)), nl=False)
    if not report.passes(allow_cpu):
        raise GateError(text.failure(report, allow_cpu))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}") from error
