"""Options that say which photos of a folder are meant, for every command that takes labels."""

from collections.abc import Callable
from typing import Any

import click

__all__ = ["positive_option", "split_option"]

positive_option = click.option(
    "--positive", metavar="FOLDER", help="Class folder of corrosion, if its name does not say so."
)


def split_option(default: str, data: str = "DATA", trained: str = "the") -> Callable[..., Any]:
    """``--split`` of folders that may hold all three; ``data`` and ``trained`` are help's words."""
    return click.option(
        "--split",
        default=default,
        show_default=True,
        type=click.Choice(["train", "validation", "test"]),
        help=f"Which photos, where {data} is split, or {trained} training split it; otherwise all.",
    )
