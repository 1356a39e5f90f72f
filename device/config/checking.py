"""What options must be together, and where in the file a mistake of that kind stands."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from corrosion_edge.errors import UsageError

__all__ = ["Check", "mistakes", "options_of"]

Check = Callable[[Mapping[str, Any]], None]
"""Gets the command's parameters; UsageError, in a sentence that begins with its option."""


def mistakes(checks: Sequence[Check], values: Mapping[str, Any]) -> list[str]:
    """What the checks have to say of these parameters, each sentence once."""
    said = []
    for check in checks:
        try:
            check(values)
        except UsageError as error:
            said.append(str(error))
    return list(dict.fromkeys(said))


def options_of(sentence: str) -> list[str]:
    """The long names of the options that a sentence is about: ``--web, --metrics: …``."""
    return re.findall(r"--([a-z][a-z0-9-]*)", re.split(r":\s", sentence, maxsplit=1)[0])
