"""The command ``drift``; heavy imports happen when it runs."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from corrosion_edge.errors import GateError
from corrosion_edge.quantize.evidence.further import Further
from corrosion_edge.quantize.evidence.limits import Limits
from corrosion_edge.quantize.evidence.options import also_options, limit_options
from corrosion_edge.trainer.keras_start import start_keras
from corrosion_edge.trainer.photo_options import positive_option, split_option

if TYPE_CHECKING:
    from corrosion_edge.quantize.evidence.measure import Result
    from corrosion_edge.quantize.evidence.sets import Evidence

__all__ = ["drift", "print_evidence"]


@click.command()
@click.argument("reference", metavar="FLOAT", type=click.Path(path_type=Path))
@click.argument("quantized", metavar="INT8", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path))
@split_option("validation")
@positive_option
@also_options
@limit_options
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
              help="Folder for drift.json, drift.csv and drift.html.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def drift(
    reference: Path,
    quantized: Path,
    data: Path,
    split: str,
    positive: str | None,
    also: tuple[Further, ...],
    limits: Limits,
    out: Path | None,
    as_json: bool,
) -> None:
    """Compare a float model with its int8 conversion, photo by photo.

    FLOAT is a run's folder, a .keras or a float .tflite file, INT8 a model file of 'quantize'.
    Verdicts are at INT8's threshold. The exit code is 3 if a limit is broken.
    """
    from corrosion_edge.output import json_text, require_writable
    from corrosion_edge.quantize.evidence import measure

    if out is not None:
        require_writable(out)
    start_keras()
    request = measure.Request(
        reference=reference, quantized=quantized, data=data, split=split, positive=positive,
        also=also, limits=limits,
    )  # fmt: skip
    result = measure.measure_drift(request, out)
    if as_json:
        click.echo(json_text(result.evidence.to_dict()), nl=False)
    else:
        print_evidence(result.evidence)
    _end(result)


def print_evidence(evidence: "Evidence") -> None:
    """The findings for a terminal."""
    from corrosion_edge.quantize.evidence import text

    main = evidence.main
    click.echo(f"\nfloat against {evidence.converted} on {main.n} {evidence.data.name} photos")
    click.echo(f"  {'':<10} {'float':>7} {evidence.converted:>7} {'change':>8}")
    for name, before, after, change, interval in text.figure_rows(main):
        span = f"  (95 %: {interval})" if interval else ""
        click.echo(f"  {name:<10} {before:>7} {after:>7} {change:>8}{span}")
    click.echo(
        f"  same verdict {main.agreement:.2%}; probability changes by {main.mean_change:.4f} on "
        f"average, {main.largest_change:.4f} at most"
    )
    for one in evidence.sets:
        click.echo(f"  {one.scored.name}: {text.mcnemar_sentence(one.report)}")
    click.echo("limits")
    for title, where, value, _, allowed, verdict in text.limit_rows(evidence):
        click.echo(f"  {title:<31} {where:<22} {value:>7} {allowed:>8}  {verdict}")


def _end(result: "Result") -> None:
    for line in (*result.notes, *(f"left out: {s}" for s in result.evidence.unreadable)):
        click.echo(line, err=True)
    see = f" See {result.page}" if result.page else ""
    if result.evidence.broken:
        raise GateError(f"beyond the limits: {'; '.join(result.evidence.broken)}.{see}")
    if result.page:
        click.echo(f"Written: {result.page}", err=True)
    if result.evidence.unreadable:
        click.get_current_context().exit(1)
