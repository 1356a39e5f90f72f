"""The command ``layers``; heavy imports happen when it runs."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from corrosion_edge.trainer.keras_start import start_keras
from corrosion_edge.trainer.photo_options import positive_option, split_option

if TYPE_CHECKING:
    from corrosion_edge.quantize.layers.findings import Findings

__all__ = ["layers"]


@click.command()
@click.argument("reference", metavar="FLOAT", type=click.Path(path_type=Path))
@click.argument("quantized", metavar="INT8", type=click.Path(path_type=Path))
@click.argument("data", metavar="PHOTOS", type=click.Path(path_type=Path))
@split_option("validation", data="PHOTOS")
@positive_option
@click.option(
    "--photos",
    default=32,
    show_default=True,
    type=click.IntRange(2),
    metavar="N",
    help="How many photos, half of each class.",
)
@click.option(
    "--measured",
    default=12,
    show_default=True,
    type=click.IntRange(0),
    metavar="K",
    help="Of how many of the worst tensors the loss is measured; the others' is estimated.",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
              help="Folder for layers.html, layers.csv and layers.json.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def layers(
    reference: Path,
    quantized: Path,
    data: Path,
    split: str,
    positive: str | None,
    photos: int,
    measured: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Tell tensor by tensor what int8 loses, and which tensors make the loss.

    FLOAT is a run's folder, a .keras or a float .tflite file, INT8 a model file of 'quantize' or
    another int8 conversion of the same network. Needs no labels but takes photos of both classes.
    """
    from corrosion_edge.output import json_text, require_writable
    from corrosion_edge.quantize.layers import measure, page

    if out is not None:
        require_writable(out)
    start_keras()
    request = measure.Request(
        reference=reference, quantized=quantized, data=data, split=split, positive=positive,
        photos=photos, measured=measured,
    )  # fmt: skip
    found = measure.measure_layers(request)
    if as_json:
        click.echo(json_text(found.to_dict()), nl=False)
    else:
        _print(found)
    if out is not None:
        subtitle = f"float: {reference}; {found.photos} photos of {data}"
        written = page.write_layers(out, f"Layers of {quantized.name}", subtitle, found)
        click.echo(f"Written: {written}", err=True)


def _print(found: "Findings") -> None:
    """The sentences and the worst tensors for a terminal."""
    from corrosion_edge.quantize.layers import page

    click.echo("\n".join(found.sentences))
    rows = [page.WORST, *page.worst_rows(found)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(page.WORST))]
    for name, *cells in rows:
        shown = "  ".join(cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        click.echo(f"  {name:<{widths[0]}}  {shown}")
