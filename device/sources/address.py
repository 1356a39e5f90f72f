"""Network addresses of cameras, and how to name one without its secrets."""

import re
from urllib.parse import urlsplit

__all__ = ["is_readable", "redacted"]

_SCHEMES = ("rtsp://", "rtsps://", "http://", "https://")


def is_readable(url: str) -> bool:
    """Whether the address is of a kind that is read: RTSP or HTTP, plain or encrypted."""
    return url.lower().startswith(_SCHEMES)


def redacted(url: str) -> str:
    """The address without what may be secret: user, password, query, and tokens in the path."""
    try:
        parts = urlsplit(url)
    except ValueError:  # an address no browser would take either
        return url.partition("://")[0] + "://…"
    host = parts.netloc.rpartition("@")[2]
    path = re.sub(r"(?i)(pass\w*|pwd|user\w*|token|key)=[^&/;]*", r"\1=…", parts.path)
    return f"{parts.scheme}://{host}{path}" + ("?…" if parts.query else "")
