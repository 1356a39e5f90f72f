"""``corrosion-edge benchmark compare``."""

import sys
from pathlib import Path

import click

from corrosion_edge import output
from corrosion_edge.errors import UsageError

__all__ = ["compare"]


@click.command(
    help="Compare reports, published ones too: ratios, with intervals, to the first one."
)
@click.argument("reports", nargs=-1, metavar="A.json B.json...", required=True,
                type=click.Path(path_type=Path))  # fmt: skip
@click.option("--across-models", is_flag=True, help="Compare different networks with each other.")
@click.option("--void", is_flag=True, help="Compare figures that are void, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def compare(reports: tuple[Path, ...], across_models: bool, void: bool, as_json: bool) -> None:
    """Read, compare, print."""
    from corrosion_edge.benchmarks import compare as comparing
    from corrosion_edge.benchmarks.layout import plain
    from corrosion_edge.benchmarks.reading import read_report

    paths = tuple(dict.fromkeys(reports))
    if len(paths) < 2:
        raise UsageError("compare: expected two reports or more, each once")
    read = {path: read_report(path, published=True) for path in paths}
    found = comparing.compare(read, across_models=across_models, void=void)
    if as_json:
        sys.stdout.write(output.json_text(plain(found)))
        return
    from corrosion_edge.benchmarks.compare_text import comparison_text

    click.echo(comparison_text(found))
