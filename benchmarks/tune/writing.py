"""The choice in the configuration that ``watch`` reads."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from corrosion_edge import output
from corrosion_edge.errors import ExtraError, UsageError

__all__ = ["write_keys"]

_SECTION: Final = "watch"


def write_keys(file: Path, values: Mapping[str, int | str]) -> dict[str, Any]:
    """Set keys of [watch] in a TOML file, which is left as it is otherwise.

    Comments and order stay. Returns what stood there before, of those that stood there. UsageError
    for a file that cannot be read, is no TOML, or has something else in the place of [watch].
    """
    document = _parsed(file)
    section = document.setdefault(_SECTION, _table())
    if not isinstance(section, dict):
        raise UsageError(f"{file}: expected a section [{_SECTION}], got a key of that name")
    stood = document.unwrap()[_SECTION]
    before = {key: stood[key] for key in values if key in stood}
    section.update(values)
    output.write(file, document.as_string())
    return before


def _parsed(file: Path) -> Any:
    kit = _tomlkit()
    try:
        return kit.parse(file.read_bytes().decode("utf-8")) if file.exists() else kit.document()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: cannot be read ({error})") from None
    except kit.exceptions.ParseError as error:
        raise UsageError(f"{file}: no TOML ({error})") from None


def _table() -> Any:
    return _tomlkit().table()


def _tomlkit() -> Any:
    try:
        import tomlkit
    except ModuleNotFoundError:
        raise ExtraError(
            "--config: needs tomlkit; run: pip install 'corrosion-edge[device]'"
        ) from None
    return tomlkit
