"""The keys of the file: one for every option of the command, each in its section."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from corrosion_edge.device.naming import split

__all__ = ["NOT_KEYS", "SECTIONS", "Key", "keys_of"]

SECTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "watch": {},
    "accelerator": {
        "accelerator": "kind",
        "delegate": "delegate",
        "accelerator-device": "device",
        "fallback": "fallback",
        "fallback-model": "fallback-model",
    },
    "detect": {"smooth": "smooth", "enter": "enter", "leave": "leave"},
    "store": {
        "store": "folder",
        "keep-days": "keep-days",
        "keep-mb": "keep-mb",
        "head-file": "head-file",
        "deliver-from": "deliver-from",
    },
    "mqtt": {
        "mqtt": "broker",
        "mqtt-user": "user",
        "mqtt-password-file": "password-file",
        "mqtt-ca": "ca",
        "mqtt-cert": "cert",
        "mqtt-key": "key",
        "mqtt-prefix": "prefix",
        "mqtt-every": "every",
        "mqtt-discovery": "discovery",
    },
    "webhook": {
        "webhook": "url",
        "webhook-url-file": "url-file",
        "webhook-auth-file": "auth-file",
        "webhook-secret-file": "secret-file",
        "webhook-ca": "ca",
    },
    "gpio": {
        "gpio": "corrosion",
        "gpio-unknown": "unknown",
        "gpio-healthy": "healthy",
        "gpio-pulse": "pulse",
        "gpio-patience": "patience",
        "gpio-active": "active",
    },
    "web": {"web": "page", "metrics": "metrics", "web-token-file": "token-file"},
}
"""Sections, the options that stand in them, and each option's key there; every option that is
named nowhere stands in ``[watch]`` under its own name. Options of a new kind get their section
here."""

NOT_KEYS: Final = frozenset({"config", "print-config", "help"})
"""Options that say what to do with the file, and so cannot stand in it."""

_FIRST: Final = "watch"
_ALSO_NUMBER: Final = frozenset({"threshold"})  # text or a number
_NAMED: Final = "camera"  # may begin with NAME=
_NAMED_FILES: Final = frozenset({"webhook-url-file", "webhook-auth-file", "webhook-secret-file",
                                 "webhook-ca"})  # fmt: skip # so may these, and all are paths
_MAYBE_PATH: Final = frozenset({_NAMED, "source"})  # a file, or something else
_NO_FILES: Final = ("auto", "demo", "picamera2")
_OR_SEVERAL: Final = ", or an array of such"


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the file: its section, its name, and the option that it stands for."""

    section: str
    name: str
    option: click.Option

    def __post_init__(self) -> None:
        if not (self.section and self.name and self.option.name):
            raise ValueError(f"expected a section, a name and an option, got {self}")

    @property
    def long_name(self) -> str:
        """The option's name on the command line, without dashes."""
        return _name(self.option)

    @property
    def parameter(self) -> str:
        """The name under which the command gets the value."""
        return str(self.option.name)

    @property
    def kind(self) -> str:
        """What the value has to be, in TOML's words."""
        kind = "string"
        if self.option.is_flag and isinstance(self.option.type, click.types.BoolParamType):
            kind = "true or false"
        elif isinstance(self.option.type, click.types.IntParamType):
            kind = "integer"
        elif isinstance(self.option.type, click.types.FloatParamType):
            kind = "number"
        elif self.name in _ALSO_NUMBER:
            kind = "string or number"
        return f"{kind}{_OR_SEVERAL}" if self.option.multiple else kind

    def accepts(self, value: Any) -> bool:
        """Whether a value of the file is of the kind; ranges are the option's business."""
        if self.option.multiple and isinstance(value, list):
            return all(self._accepts(each) for each in value)
        return self._accepts(value)

    def _accepts(self, value: Any) -> bool:
        kind = self.kind.removesuffix(_OR_SEVERAL)
        if kind == "true or false" or isinstance(value, bool):
            return kind == "true or false" and isinstance(value, bool)
        number = isinstance(value, int | float)
        return {
            "integer": isinstance(value, int),
            "number": number,
            "string": isinstance(value, str),
            "string or number": number or isinstance(value, str),
        }[kind]

    def placed(self, value: Any, folder: Path) -> Any:
        """The value with a path taken from ``folder``, where the value is one."""
        if isinstance(value, list | tuple):
            return [placed for each in value for placed in self.placed(each, folder)]
        named = self._may_be_named and isinstance(value, str)
        name, source = split(value) if named else ("", value)
        placed = value
        if self._is_path(source):
            placed = f"{name}={folder / source}" if name else f"{folder / source}"
        return [placed] if self.option.multiple else placed

    @property
    def _may_be_named(self) -> bool:
        return self.name == _NAMED or self.long_name in _NAMED_FILES

    def _is_path(self, value: Any) -> bool:
        if isinstance(self.option.type, click.Path) or self.long_name in _NAMED_FILES:
            return value is not None
        if self.name not in _MAYBE_PATH or not isinstance(value, str):
            return False
        return "://" not in value and value.partition(":")[0] not in _NO_FILES


def keys_of(
    command: click.Command, sections: Mapping[str, Mapping[str, str]] = SECTIONS
) -> list[Key]:
    """The keys for a command's options, section by section, in the options' order."""
    options = {name: option for option in command.params if (name := _name(option))}
    homes = {
        name: (section, key) for section, names in sections.items() for name, key in names.items()
    }
    keys = [Key(*homes.get(name, (_FIRST, name)), option) for name, option in options.items()
            if isinstance(option, click.Option)]  # fmt: skip
    order = list(sections)
    return sorted(keys, key=lambda key: order.index(key.section))


def _name(option: click.Parameter) -> str:
    """The option's long name without dashes; '' for what is no key."""
    names = [opt[2:] for opt in option.opts if opt.startswith("--")]
    longest = max(names, key=len, default="")
    return "" if longest in NOT_KEYS else longest
