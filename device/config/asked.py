"""What a configuration asks of ``watch``, for commands beside it."""

from pathlib import Path

import click

__all__ = ["asked_of"]


def asked_of(config: Path) -> click.Context:
    """``watch`` with what the file says and nothing else, checked as a whole (UsageError)."""
    from corrosion_edge.device.cli import watch

    return watch.make_context("watch", ["--config", str(config)])
