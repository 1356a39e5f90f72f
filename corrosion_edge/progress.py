"""Progress bars on long work; silent where nobody looks."""

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

import click

__all__ = ["progress"]

T = TypeVar("T")


def progress(items: Iterable[T], label: str, length: int | None = None) -> Iterator[T]:
    """Yield ``items`` behind a bar on standard error, or bare where that is no terminal."""
    with click.progressbar(
        items, length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        yield from bar
