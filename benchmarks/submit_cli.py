"""``corrosion-edge benchmark submit``."""

from pathlib import Path

import click

from corrosion_edge import output
from corrosion_edge.errors import OutputError

__all__ = ["submit"]


@click.command(help="Make a board's report fit to be published, and show what is.")
@click.argument("run", metavar="RUN.json", type=click.Path(path_type=Path))
@click.option("--by", required=True, metavar="NAME", help="Who measured; it is published.")
@click.option("--note", default="", metavar="TEXT", help="Case, cooling, supply, card.")
@click.option("--board", metavar="SLUG", help="Row of a board that has none by its own name, such "
              "as coral-dev-board.  [default: from the board's own]")  # fmt: skip
@click.option("--out", metavar="DIR", default=Path(), type=click.Path(path_type=Path),
              help="Folder to write BOARD.json into.  [default: this one]")  # fmt: skip
@click.option("--virtual", is_flag=True, help="Take a virtual machine, or a board of no name, too.")
def submit(run: Path, by: str, note: str, board: str | None, out: Path, virtual: bool) -> None:
    """Check, show, write."""
    from corrosion_edge.benchmarks.reading import read_report
    from corrosion_edge.benchmarks.submit import renamed, submission
    from corrosion_edge.benchmarks.wording import machine_rows, text

    report = read_report(run)
    made = submission(run, report, by=by, note=note, board=board, virtual=virtual)
    target = out / f"{made.board}.json"
    if target.exists():
        raise OutputError(f"{target}: exists already; remove it, or name another folder with --out")
    output.make_folder(out)
    output.write(target, made.to_json())
    click.echo(text(made.report))
    click.echo("\nThis is published, with every sample:")
    for name, value in (("by", by), ("note", note or "none"), *machine_rows(made.report.machine)):
        click.echo(f"  {name}: {value}")
    for path, name in renamed(report).items():
        click.echo(f"  the model {path}: {name}, without its folder")
    click.echo(f"written: {target}")
