"""Results into the documentation: ``python -m corrosion_edge.benchmarks.peers.document``.

Puts the tables of each result.json between the two marks of a Markdown file, in place of the old.
A network that several have is shown as the first one has it.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from corrosion_edge import output
from corrosion_edge.benchmarks.markdown import between
from corrosion_edge.benchmarks.peers.result import Result
from corrosion_edge.benchmarks.peers.text import markdown
from corrosion_edge.cli import Command
from corrosion_edge.errors import DataError

__all__ = ["BEGIN", "END", "main"]

BEGIN: Final = "<!-- peers: begin, written by corrosion_edge.benchmarks.peers.document -->\n"
END: Final = "<!-- peers: end -->"


@click.command(cls=Command)
@click.argument(
    "results",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="RESULT...",
)
@click.argument("page", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def main(results: tuple[Path, ...], page: Path) -> None:
    """Write the tables of each RESULT (a result.json) into PAGE, in this order."""
    tables = "\n".join(map(markdown, _distinct(map(_read, results))))
    try:
        content = between(page.read_text(encoding="utf-8"), BEGIN, END, tables)
    except DataError as error:
        raise DataError(f"{page}: {error}") from None
    output.write(page, content)


def _distinct(results: Iterable[Result]) -> Iterator[Result]:
    """Each without the networks of those before it; none of which nothing is left."""
    seen: set[str] = set()
    for result in results:
        rows = tuple(row for row in result.rows if row.network not in seen)
        seen |= {row.network for row in rows}
        if rows:
            yield replace(result, rows=rows)


def _read(result: Path) -> Result:
    try:
        return Result.from_dict(json.loads(result.read_text(encoding="utf-8")))
    except (ValueError, DataError) as error:
        raise DataError(f"{result}: {error}") from None


if __name__ == "__main__":
    main()
