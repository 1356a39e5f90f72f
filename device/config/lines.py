"""On which line of a TOML document each key stands, which Python's tomllib does not tell."""

import re
import tomllib
from collections.abc import Iterator
from typing import Final

__all__ = ["Path", "key_lines", "line_of"]

Path = tuple[str, ...]
"""A key with the tables above it."""

# What may hold brackets, signs and line ends without meaning them: TOML 1.0, strings and comments.
_TOKEN: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|' r"'''.*?'{3,5}|" r'"(?:\\.|[^"\\\n])*"|' r"'[^'\n]*'|#[^\n]*|.",
    re.DOTALL,
)


def key_lines(text: str) -> dict[Path, int]:
    """The line, from 1, of every table and key of a document that tomllib accepts.

    Keys inside inline tables and arrays are left out: they stand where ``line_of`` finds the key
    above them. Of several tables in an array the first counts.
    """
    found: dict[Path, int] = {}
    table: Path = ()
    for line, statement in _statements(text):
        if statement.startswith("["):
            table = _parts(statement.strip("[] \t"))
            _note(found, table, line)
        else:
            _note(found, table + _parts(statement), line)
    return found


def line_of(lines: dict[Path, int], path: Path) -> int:
    """The line of a key, or of the nearest table above it that has one; 1 if none has."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _note(found: dict[Path, int], path: Path, line: int) -> None:
    """Note a path, and the tables above it where they are first named."""
    for length in range(1, len(path) + 1):
        found.setdefault(path[:length], line)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Line and text of every table's head and of every key up to its equals sign."""
    gathered, line, depth, in_value = "", 1, 0, False
    start = 1
    for token in (match[0] for match in _TOKEN.finditer(text)):
        if not gathered.strip():
            start = line
        if token == "\n" and not depth:
            if gathered.strip() and not in_value:
                yield start, gathered.strip()
            gathered, in_value = "", False
        elif in_value:
            depth += (token in ("[", "{")) - (token in ("]", "}"))
        elif token == "=":
            yield start, gathered.strip()
            in_value = True
        elif not token.startswith("#"):
            gathered += token
        line += token.count("\n")
    if gathered.strip() and not in_value:
        yield start, gathered.strip()


def _parts(key: str) -> Path:
    """The parts of a bare, quoted or dotted key, as tomllib itself reads it."""
    parts: list[str] = []
    value: object = tomllib.loads(f"{key} = 0")
    while isinstance(value, dict):
        ((name, value),) = value.items()
        parts.append(name)
    return tuple(parts)
