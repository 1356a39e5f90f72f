"""Completion scripts for the shells."""

import click
from click.shell_completion import get_completion_class

__all__ = ["completion"]


@click.command(help="Print a shell's completion script.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script, e.g. ``eval "$(corrosion-edge completion bash)"``."""
    kind = get_completion_class(shell)
    assert kind is not None, shell
    root = ctx.find_root().command
    click.echo(kind(root, {}, "corrosion-edge", "_CORROSION_EDGE_COMPLETE").source())
