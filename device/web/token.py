"""The token that opens the page, and the sessions that a login with it makes."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from corrosion_edge.device.secret_file import secret_text
from corrosion_edge.errors import KeyFileError

__all__ = ["SESSION", "Token", "read_token"]

SESSION: Final = 7 * 86400
"""Seconds that a login lasts."""

_LEAST, _MOST = 16, 1024  # characters
_MAKE = "python3 -c 'import secrets; print(secrets.token_urlsafe(24))'"


def read_token(path: Path) -> str:
    """The one word in the file (KeyFileError if others may read it, or it is no good token)."""
    token = secret_text(path, str(path), group_reads=False).strip()
    one = len(token.split()) == 1 and token.isascii() and token.isprintable()
    if not (_LEAST <= len(token) <= _MOST and one):
        raise KeyFileError(
            f"{path}: expected one word of {_LEAST} characters or more, in ASCII; make one: {_MAKE}"
        )
    return token


class Token:
    """Compares in constant time; a session is a time of expiry with an HMAC-SHA256 over it.

    Sessions outlive a restart, and end when the token is changed.
    """

    def __init__(self, token: str, now: Callable[[], float] = time.time) -> None:
        self._token = token.encode()
        self._now = now

    def matches(self, given: str) -> bool:
        """Whether this is the token."""
        # Digests first, so that the time does not tell the length either.
        ours, theirs = (hashlib.sha256(t).digest() for t in (self._token, given.encode()))
        return hmac.compare_digest(ours, theirs)

    def session(self) -> str:
        """What a client keeps instead of the token."""
        head = f"{int(self._now() + SESSION)}.{secrets.token_hex(8)}"
        return f"{head}.{self._sign(head)}"

    def knows(self, session: str) -> bool:
        """Whether the session is one of ours and not over."""
        head, _, mark = session.rpartition(".")
        if not hmac.compare_digest(self._sign(head).encode(), mark.encode()):
            return False
        return int(head.partition(".")[0]) > self._now()

    def _sign(self, head: str) -> str:
        return hmac.new(self._token, f"session {head}".encode(), hashlib.sha256).hexdigest()
