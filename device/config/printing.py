"""The configuration in force, as a file that reads back to the same."""

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from corrosion_edge.device.config.keys import Key
from corrosion_edge.device.config.tables import SECTION, Table, keys_of_table
from corrosion_edge.errors import UsageError

__all__ = ["printed", "printed_tables", "toml_value"]

_WIDTH = 98


def printed(keys: Sequence[Key], values: Mapping[str, Any], folder: Path) -> str:
    """TOML with every key, its option's help above it; relative paths are taken from ``folder``.

    ``values`` are those of the command's parameters. A key whose value is None, which no TOML can
    say, stands as a comment.
    """
    blocks = []
    for section, members in groupby(keys, key=lambda key: key.section):
        entries = (_entry(key, values.get(key.parameter), folder) for key in members)
        blocks.append(f"[{section}]\n" + "\n".join(entries))
    return "\n".join(blocks)


def printed_tables(keys: Sequence[Key], tables: Mapping[str, Table]) -> str:
    """TOML with each camera's table and the keys that were given in it."""
    blocks = []
    for name, table in tables.items():
        known = keys_of_table(keys, name)
        lines = [f"\n[{SECTION}.{name}]"]
        lines += [f"{key} = {_said(known[key], value)}" for key, value in table.given.items()]
        blocks.append("\n".join(lines) + "\n")
    return "".join(blocks)


def toml_value(value: Any) -> str:
    """A string, boolean, number or list of such in TOML's words (ValueError for others)."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | Path):
        return _basic_string(str(value))
    if isinstance(value, int | float):
        return repr(value)
    raise ValueError(f"expected a string, boolean, number or list, got {value!r}")


def _basic_string(text: str) -> str:
    """JSON's strings are TOML's basic strings, but TOML wants the character 0x7f escaped."""
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise UsageError(f"{text!r} holds bytes that are no UTF-8, which TOML cannot say")
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _entry(key: Key, value: Any, folder: Path) -> str:
    if value is None or value == ():
        return "\n".join([*_comment(key), f"# {key.name} =", ""])
    placed = key.placed(value, folder)
    if key.option.multiple and len(placed) == 1:
        placed = placed[0]
    return "\n".join([*_comment(key), f"{key.name} = {_said(key, placed)}", ""])


def _said(key: Key, value: Any) -> str:
    return toml_value(_number(value) if key.kind == "string or number" else value)


def _number(text: str) -> str | float:
    """A number that the command line gave as text; other text as it is."""
    try:
        return float(text)
    except ValueError:
        return text


def _comment(key: Key) -> Iterator[str]:
    told = " ".join((key.option.help or "").split())
    return (f"# {line}" for line in textwrap.wrap(told, _WIDTH))
