"""Progress bars on long work; silent where nobody looks."""

import sys
from collections.abc import Generator, Iterable
from typing import TypeVar

import click

__all__ = ["progress", "say"]

T = TypeVar("T")


def say(text: str) -> None:
    """A line on standard error before long work without a bar, where somebody looks."""
    if sys.stderr.isatty():
        click.echo(text, err=True)


def progress(items: Iterable[T], label: str, length: int | None = None) -> Generator[T]:
    """Yield ``items`` behind a bar on standard error, or bare where that is no terminal.

    Without a ``length`` it counts.
    """
    with click.progressbar(
        items, length=length, label=label, show_pos=length is None,
        file=sys.stderr, hidden=not sys.stderr.isatty(),
    ) as bar:  # fmt: skip
        yield from bar
