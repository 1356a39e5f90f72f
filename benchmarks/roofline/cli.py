"""``corrosion-edge benchmark roofline``."""

from pathlib import Path

import click

from corrosion_edge import output
from corrosion_edge.cli import Command

__all__ = ["roofline"]


@click.command(
    cls=Command,
    help="""What limits each model on this machine: multiplying, memory, or neither.

    Without MODEL the default one. Peaks are measured through the same runtime.
    """,
)
@click.argument("models", nargs=-1, metavar="[MODEL]...", type=click.Path(path_type=Path))
@click.option("--threads", type=click.IntRange(1, 256), default=1, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=10, show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--html", "html_file", type=click.Path(path_type=Path), metavar="FILE")
def roofline(
    models: tuple[Path, ...],
    threads: int,
    rounds: int,
    json_file: Path | None,
    html_file: Path | None,
) -> None:
    """Measure, tell, write."""
    from corrosion_edge.benchmarks.roofline import page
    from corrosion_edge.benchmarks.roofline.measure import measure

    for file in (json_file, html_file):
        if file is not None:
            output.require_writable(file.parent)
    found = measure(tuple(dict.fromkeys(models)) or (None,), threads, rounds)
    if json_file is not None:
        output.write(json_file, output.json_text(page.plain(found)))
    if html_file is not None:
        output.write(html_file, page.html(found))
    click.echo(page.text(found))
