"""The hash chain: each event's hash covers the one before, its content and its pictures."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["GENESIS", "ROLES", "canonical", "digest", "link", "parsed"]

GENESIS: Final = "0" * 64
"""What stands before the first event."""

ROLES: Final = ("plain", "map")
"""The pictures of an event, in the order in which they are hashed."""


def canonical(fields: Mapping[str, Any]) -> str:
    """JSON with sorted keys, no spaces, in ASCII, on one line; NaN is refused (ValueError)."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), allow_nan=False)


def parsed(body: str) -> dict[str, Any]:
    """The fields of a stored event (ValueError, TypeError for what is none)."""
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError(f"an event: expected fields, got {found!r}")
    return found


def digest(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def link(previous: str, body: str, digests: Mapping[str, str]) -> str:
    """The hash of an event: SHA-256 over four lines, so that sha256sum can check it.

    The lines are the previous hash, the canonical JSON ``body``, and the digests of the plain
    picture and the one with the map, empty where there is none; each ends in a newline.
    """
    lines = [previous, body, *(digests.get(role, "") for role in ROLES)]
    return digest("".join(f"{line}\n" for line in lines).encode("ascii"))
