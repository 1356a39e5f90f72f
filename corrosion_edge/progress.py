"""Progress bars on long work; silent where nobody looks, or where others speak."""

import sys
from collections.abc import Generator, Iterable
from typing import TypeVar

import click

__all__ = ["hush", "progress", "say"]

T = TypeVar("T")


class _Hush:
    """Whether this process is one of several at one terminal."""

    on = False


def hush() -> None:
    """No bars and lines from this process from here on: several would draw over each other."""
    _Hush.on = True


def say(text: str) -> None:
    """A line on standard error before long work without a bar, where somebody looks."""
    if _is_seen():
        click.echo(text, err=True)


def progress(items: Iterable[T], label: str, length: int | None = None) -> Generator[T]:
    """Yield ``items`` behind a bar on standard error, or bare where that is no terminal.

    Without a ``length`` it counts.
    """
    with click.progressbar(
        items, length=length, label=label, show_pos=length is None,
        file=sys.stderr, hidden=not _is_seen(),
    ) as bar:  # fmt: skip
        yield from bar


def _is_seen() -> bool:
    return sys.stderr.isatty() and not _Hush.on
