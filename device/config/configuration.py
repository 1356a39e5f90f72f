"""Reading the file, as a whole: every mistake in it is told at once, with its line."""

import re
import stat
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import click

from corrosion_edge.device.config.checking import options_of
from corrosion_edge.device.config.keys import Key
from corrosion_edge.device.config.lines import key_lines, line_of
from corrosion_edge.device.config.tables import SECTION, Table, keys_of_table, require_name
from corrosion_edge.errors import UsageError

__all__ = ["Configuration", "Mistake"]

_LARGEST: Final = 2**20  # bytes of a file


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """A line of the file, from 1, and what is wrong there."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a file says: ``values`` by the command's parameters, with paths that are absolute.

    ``cameras`` are the tables ``[camera.NAME]``, by name. ``places`` has the line and the name of
    each key that is there, by the option's long name.
    """

    file: Path
    values: Mapping[str, Any]
    cameras: Mapping[str, Table] = field(default_factory=dict)
    places: Mapping[str, tuple[int, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("values", "cameras", "places"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @classmethod
    def read(
        cls,
        file: Path,
        keys: Sequence[Key],
        ctx: click.Context,
        together: Callable[[Mapping[str, Any]], Sequence[str]] = lambda values: (),
    ) -> "Configuration":
        """Read and check a file; relative paths in it are taken from its folder.

        ``together`` gets its values and says what they must not be together, in sentences that
        begin with an option. Raises UsageError that names every mistake: no TOML, unknown sections
        and keys, values of the wrong type, those that the option itself refuses, and those.
        """
        reading = _Reading(file, keys, ctx)
        read = cls(file, reading.values, reading.cameras, reading.places)
        found = [*reading.mistakes, *_placed(read, together(reading.values), reading.wrong)]
        if found:
            raise UsageError(_told(file, found))
        return read

    def placed(self, sentence: str) -> Mistake | None:
        """A sentence that begins with an option, at that option's key; None if it has none."""
        for name in options_of(sentence):
            if name in self.places:
                line, key = self.places[name]
                return Mistake(line, key + sentence.removeprefix(f"--{name}")
                               if sentence.startswith(f"--{name}") else sentence)  # fmt: skip
        return None


class _Reading:
    """One pass over a file that gathers values and mistakes."""

    def __init__(self, file: Path, keys: Sequence[Key], ctx: click.Context) -> None:
        text = _text(file)
        self._folder = file.absolute().parent
        self._keys, self._ctx = keys, ctx
        document = _parsed(file, text)
        self._lines = key_lines(text)
        self.values: dict[str, Any] = {}
        self.cameras: dict[str, Table] = {}
        self.places: dict[str, tuple[int, str]] = {}
        self.wrong: set[str] = set()  # options by long name
        self.mistakes: list[Mistake] = []
        self._options(document)
        if self._has_tables(document):
            self._tables(document)

    def _has_tables(self, document: dict[str, Any]) -> bool:
        return isinstance(document.get(SECTION), dict) and bool(keys_of_table(self._keys, ""))

    def _options(self, document: dict[str, Any]) -> None:
        by_path: dict[tuple[str, ...], Key] = {(key.section, key.name): key for key in self._keys}
        for path, value in _leaves(document, {key.section for key in self._keys}):
            if path == (SECTION,) and self._has_tables(document):
                continue
            try:
                key = _known(path, by_path)
                self.values[key.parameter] = _checked(key, value, self._folder, self._ctx)[0]
                self.places[key.long_name] = line_of(self._lines, path), key.name
            except ValueError as error:
                self.wrong |= {by_path[path].long_name} if path in by_path else set()
                self._wrong(path, error)

    def _tables(self, document: dict[str, Any]) -> None:
        tables = document[SECTION]
        if not tables:
            self._wrong((SECTION,), "expected a table [camera.NAME] for each camera")
        if "camera" in self.values:
            told = "either the key 'camera' or tables [camera.NAME] say which cameras, not both"
            self._wrong(("watch", "camera"), told)
        for name, content in tables.items():
            try:
                require_name(name)
                if not isinstance(content, dict):
                    raise ValueError(f"expected a table [{SECTION}.{name}], got {_shown(content)}")
                self._table(name, content)
            except ValueError as error:
                self._wrong((SECTION, name), error)

    def _table(self, name: str, content: dict[str, Any]) -> None:
        keys = keys_of_table(self._keys, name)
        given: dict[str, Any] = {}
        values: dict[str, Any] = {}
        for own, value in content.items():
            try:
                if own not in keys:
                    section = f"[{SECTION}.{name}]"
                    raise ValueError(f"unknown key '{own}' in {section}{_nearest(own, list(keys))}")
                key = keys[own]
                parameter = own if own == "source" else key.parameter
                given[own], values[parameter] = _checked(key, value, self._folder, self._ctx)
            except ValueError as error:
                self._wrong((SECTION, name, own), error)
        if "source" not in content:
            raise ValueError(f"[{SECTION}.{name}] has no source")
        self.cameras[name] = Table(given, values)

    def _wrong(self, path: tuple[str, ...], error: object) -> None:
        self.mistakes.append(Mistake(line_of(self._lines, path), str(error)))


def _placed(read: Configuration, said: Sequence[str], wrong: set[str]) -> list[Mistake]:
    """The sentences at their keys; none that follows from a value which is ``wrong`` anyway."""
    sound = [each for each in said if not wrong & set(re.findall(r"--([a-z][a-z0-9-]*)", each))]
    return [mistake for each in sound if (mistake := read.placed(each)) is not None]


def _text(file: Path) -> str:
    try:
        found = file.stat()
        if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
            raise UsageError(f"{file}: expected a file; this is a pipe or device, which may end "
                             "never")  # fmt: skip
        if found.st_size > _LARGEST:
            raise UsageError(f"{file}: {found.st_size:,} bytes are no configuration; expected up "
                             f"to {_LARGEST:,}")  # fmt: skip
        return file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
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
        tables = f", [{SECTION}.NAME]" if keys_of_table(list(by_path.values()), "") else ""
        raise ValueError(f"'{name}' is no section; there are: {listed}{tables}")
    names = [key.name for key in by_path.values() if key.section == path[0]]
    raise ValueError(f"unknown key '{name}' in [{path[0]}]{_nearest(name, names)}")


def _nearest(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name.replace("_", "-"), known, 1, 0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


def _checked(key: Key, value: Any, folder: Path, ctx: click.Context) -> tuple[Any, Any]:
    """The value as the option wants it, and what the option makes of it.

    ValueError if it is of another type or refused.
    """
    if not key.accepts(value):
        raise ValueError(f"{key.name}: expected {key.kind}, got {_shown(value)}")
    placed = key.placed(value, folder)
    given = str(placed) if key.kind == "string or number" else placed
    try:
        return given, key.option.process_value(ctx, given)
    except click.BadParameter as error:
        raise ValueError(f"{key.name}: {error.message.rstrip('.')}") from None


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
