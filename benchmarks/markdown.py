"""A page's texts and tables as Markdown, for an issue, a chat or a repository."""

from collections.abc import Iterator, Sequence

from corrosion_edge.errors import DataError
from corrosion_edge.report import Page, Section, Table, Text

__all__ = ["between", "markdown"]


def markdown(page: Page) -> str:
    """The page as GitHub's Markdown, which has tables; figures are left out."""
    lines = [f"# {_plain(page.title)}", "", _plain(page.subtitle)]
    for section in page.sections:
        lines += ["", f"## {_plain(section.title)}", *_section(section)]
    return "\n".join(lines) + "\n"


def between(page: str, begin: str, end: str, text: str) -> str:
    """A page with what is between two marks replaced (DataError without both, in order)."""
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise DataError(f"expected the lines {begin.strip()} and {end.strip()}")
    return f"{before}{begin}{text}{end}{after}"


def _section(section: Section) -> Iterator[str]:
    for block in section.blocks:
        if isinstance(block, Text):
            mark = "**Void** " if block.tone == "warning" else ""
            yield from ("", f"{mark}{'<br>'.join(map(_plain, block.text.splitlines()))}")
        elif isinstance(block, Table):
            yield from ("", *_table(block))


def _table(table: Table) -> Iterator[str]:
    yield _row(table.head)
    yield _row(["--:" if kind == "number" else "---" for kind in table.kinds])
    yield from map(_row, table.texts)
    if table.caption:
        yield from ("", _plain(table.caption))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_plain, cells))} |"


def _plain(text: str) -> str:
    """Text in which Markdown and HTML mean nothing."""
    for letter in "\\`*_<>|":
        text = text.replace(letter, f"\\{letter}")
    return " ".join(text.split())
