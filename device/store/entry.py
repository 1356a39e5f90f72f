"""An event on its way into the store, and what it is there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Entry", "Stored"]


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be stored: the event's fields with its ``uuid``, and its JPEGs by role."""

    fields: Mapping[str, Any]
    pictures: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored: its sequence number, its fields, and its hash in the chain."""

    sequence: int
    fields: Mapping[str, Any]
    hash: str
