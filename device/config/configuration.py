"""Reading the file, as a whole: every mistake in it is told at once, with its line."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click

from corrosion_edge.device.config.keys import Key
from corrosion_edge.device.config.lines import key_lines, line_of
from corrosion_edge.errors import UsageError

__all__ = ["Configuration", "Mistake"]


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """A line of the file, from 1, and what is wrong there."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a file says: ``values`` by the command's parameters, with paths that are absolute."""

    file: Path
    values: Mapping[str, Any]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))

    @classmethod
    def read(cls, file: Path, keys: Sequence[Key], ctx: click.Context) -> "Configuration":
        """Read and check a file; relative paths in it are taken from its folder.

        Raises UsageError that names every mistake: no TOML, unknown sections and keys, values of
        the wrong type, and those that the option itself refuses.
        """
        text = _text(file)
        document = _parsed(file, text)
        lines = key_lines(text)
        by_path: dict[tuple[str, ...], Key] = {(key.section, key.name): key for key in keys}
        values: dict[str, Any] = {}
        mistakes: list[Mistake] = []
        for path, value in _leaves(document, {key.section for key in keys}):
            try:
                key = _known(path, by_path)
                values[key.parameter] = _checked(key, value, file.absolute().parent, ctx)
            except ValueError as error:
                mistakes.append(Mistake(line_of(lines, path), str(error)))
        if mistakes:
            raise UsageError(_told(file, mistakes))
        return cls(file, values)


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8").replace("\r\n", "\n")
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UsageError(f"{file}:{line}: expected text in UTF-8") from None


def _parsed(file: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"^(.*) \(at (?:line (\d+), column \d+|end of document)\)$", str(error))
        words, line = (found[1], found[2]) if found else (str(error), None)
        raise UsageError(f"{file}:{line or text.count(chr(10)) + 1}: no TOML ({words})") from None


def _leaves(document: dict[str, Any], sections: set[str]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Path and value of every key; a section that is not known, or is none, counts as a key."""
    for section, content in document.items():
        if section in sections and isinstance(content, dict):
            yield from (((section, name), value) for name, value in content.items())
        else:
            yield (section,), content


def _known(path: tuple[str, ...], by_path: Mapping[tuple[str, ...], Key]) -> Key:
    if path in by_path:
        return by_path[path]
    name, sections = path[-1], sorted({key.section for key in by_path.values()})
    meant = next((key for key in by_path.values() if name in (key.long_name, key.name)), None)
    if meant and meant.name != name:
        raise ValueError(f"--{name} is the key '{meant.name}' in the section [{meant.section}]")
    if meant:
        raise ValueError(f"the key '{name}' belongs in the section [{meant.section}]")
    if len(path) == 1:
        listed = ", ".join(f"[{section}]" for section in sections)
        raise ValueError(f"'{name}' is no section; there are: {listed}")
    names = [key.name for key in by_path.values() if key.section == path[0]]
    raise ValueError(f"unknown key '{name}' in [{path[0]}]{_nearest(name, names)}")


def _nearest(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name.replace("_", "-"), known, 1, 0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


def _checked(key: Key, value: Any, folder: Path, ctx: click.Context) -> Any:
    """The value as the option wants it; ValueError if it is of another type or refused."""
    if not key.accepts(value):
        raise ValueError(f"{key.name}: expected {key.kind}, got {_shown(value)}")
    placed = key.placed(value, folder)
    given = str(placed) if key.kind == "string or number" else placed
    try:
        key.option.process_value(ctx, given)
    except click.BadParameter as error:
        raise ValueError(f"{key.name}: {error.message.rstrip('.')}") from None
    return given


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    return "an array" if isinstance(value, list) else repr(value)


def _told(file: Path, mistakes: Sequence[Mistake]) -> str:
    lines = [f"{file}:{mistake.line}: {mistake.text}" for mistake in sorted(mistakes)]
    if len(lines) == 1:
        return lines[0]
    return "\n  ".join([f"{file}: {len(lines)} mistakes", *lines])
