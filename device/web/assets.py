"""The page's own files, as they are in the package."""

import functools
from importlib import resources
from typing import Any, Final

from corrosion_edge.report import escaping

__all__ = ["TYPES", "asset", "page"]

TYPES: Final = {
    "style.css": "text/css",
    "page.js": "text/javascript",
    "plot.js": "text/javascript",
    "times.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
"""Files that are served as they are."""


@functools.cache
def asset(name: str) -> bytes:
    """A file's content."""
    return resources.files(__package__).joinpath("files", name).read_bytes()


def page(name: str, **values: Any) -> str:
    """A template with the values put in, each escaped."""
    return escaping().from_string(asset(name).decode()).render(**values)
