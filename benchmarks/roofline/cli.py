"""``corrosion-edge benchmark roofline``."""

from pathlib import Path

import click

from corrosion_edge import output
from corrosion_edge.benchmarks.threads import parse_threads
from corrosion_edge.benchmarks.writing import STDOUT, require_files, require_none
from corrosion_edge.cli import Command

__all__ = ["roofline"]


@click.command(
    cls=Command,
    help="""What limits each model on this machine: multiplying, memory, or neither.

    Without MODEL the default one. Peaks are measured through the same runtime.
    """,
)
@click.argument("models", nargs=-1, metavar="[MODEL]...", type=click.Path(path_type=Path))
@click.option(
    "--threads", metavar="N,…", default="1", show_default=True, help="Numbers of threads."
)
@click.option("--rounds", type=click.IntRange(min=1), default=10, show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path), metavar="FILE",
              help="Write everything as JSON; - prints.")  # fmt: skip
@click.option("--html", "html_file", type=click.Path(path_type=Path), metavar="FILE")
def roofline(
    models: tuple[Path, ...],
    threads: str,
    rounds: int,
    json_file: Path | None,
    html_file: Path | None,
) -> None:
    """Measure, tell, write."""
    from corrosion_edge.benchmarks.roofline import page
    from corrosion_edge.benchmarks.roofline.measure import measure

    counts = parse_threads(threads)
    require_files({"--json": json_file, "--html": html_file}, printing=("--json",))
    found = measure(tuple(dict.fromkeys(models)) or (None,), counts, rounds)
    if html_file is not None:
        output.write(html_file, page.html(found))
    if json_file is not None and json_file != STDOUT:
        output.write(json_file, output.json_text(page.plain(found)))
    click.echo(output.json_text(page.plain(found)).rstrip() if json_file == STDOUT
               else page.text(found))  # fmt: skip
    require_none(page.void(found))
