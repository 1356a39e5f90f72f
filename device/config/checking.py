"""What options must be together, and where in the file a mistake of that kind stands."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from corrosion_edge.errors import UsageError

__all__ = ["Check", "Mistakes", "mistakes", "options_of", "require_all"]

Check = Callable[[Mapping[str, Any]], None]
"""Gets the command's parameters; UsageError, in a sentence that begins with its option, or
``Mistakes``."""


class Mistakes(UsageError):  # noqa: N818 - several of them
    """Several at once; each of the ``sentences`` begins with its option."""

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__("; ".join(sentences))
        self.sentences = tuple(sentences)


def mistakes(checks: Sequence[Check], values: Mapping[str, Any]) -> list[str]:
    """What the checks have to say of these parameters, each sentence once."""
    said: list[str] = []
    for check in checks:
        try:
            check(values)
        except UsageError as error:
            said += _sentences(error)
    return list(dict.fromkeys(said))


def require_all(requirements: Iterable[Callable[[], object]]) -> None:
    """Try them all: ``Mistakes`` of what each has to say (UsageError)."""
    said: list[str] = []
    for requirement in requirements:
        try:
            requirement()
        except UsageError as error:
            said += _sentences(error)
    if said:
        raise Mistakes(said)


def _sentences(error: UsageError) -> Sequence[str]:
    return error.sentences if isinstance(error, Mistakes) else (str(error),)


def options_of(sentence: str) -> list[str]:
    """The long names of the options that a sentence is about: ``--web, --metrics: …``."""
    return re.findall(r"--([a-z][a-z0-9-]*)", re.split(r":\s", sentence, maxsplit=1)[0])
