"""The command that was given, as text for a report: without the user's folders."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

__all__ = ["as_given"]

_LEFT_OUT = ("out", "as_json")


def as_given(context: click.Context) -> str:
    """``corrosion-edge reproduce DATA --out DIR`` and the given options; of files their names."""
    words = ["corrosion-edge", str(context.command.name), "DATA", "--out", "DIR"]
    for option in context.command.params:
        name = str(option.name)
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if given and isinstance(option, click.Option) and name not in _LEFT_OUT:
            words += _words(option, context.params[name])
    return shlex.join(words)


def _words(option: click.Option, value: Any) -> Iterator[str]:
    flag = max(option.opts, key=len)
    for one in value if option.multiple else [value]:
        yield flag
        if not option.is_flag:
            yield _text(one)


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_text, value))
    name, equals, file = str(value).partition("=")
    return f"{name}={Path(file).name}" if equals else Path(name).name
