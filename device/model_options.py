"""Options that say which model judges, and how: those of ``classify`` and ``watch``."""

from pathlib import Path

import click

__all__ = ["key_option", "model_option", "threads_option", "verify_option"]

model_option = click.option(
    "--model",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The model file.  [default: the one in the package]",
)
threads_option = click.option(
    "--threads",
    type=click.IntRange(min=1),
    metavar="N",
    help="Threads of the interpreter.  [default: all usable cores]",
)
key_option = click.option(
    "--require-signature",
    "key",
    type=click.Path(path_type=Path),
    metavar="KEY.pub",
    help="Refuse a model file that is not signed with this key.",
)
verify_option = click.option(
    "--verify",
    "level",
    type=click.Choice(["quick", "full"]),
    default="quick",
    show_default=True,
    help="Golden pictures that are run first to compare this machine: one, or all.",
)
