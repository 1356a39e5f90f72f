"""One self-contained HTML page for the results of every room.

A page is plain data: sections of texts, tables and figures. It carries its style and pictures
within itself, runs no script and fetches nothing, so it can be mailed, printed and kept.
"""

import base64
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    import jinja2

__all__ = [
    "Block",
    "Cell",
    "Figure",
    "Page",
    "Section",
    "Table",
    "Text",
    "escaping",
    "png_of",
    "render",
]

Cell = str | int | float
"""A table's cell; a float is shown with four significant digits, give a string for others."""

_DPI: Final = 110
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
_NUMBER: Final = re.compile(r"[-+−±~<>≤≥]{0,2}\s?\d[\d\s,.:–x×-]*([^\W\d_%°]{1,4}|%|°C|1/s|×)?")
_SHORT: Final = 24
_NOTHING: Final = frozenset(("", "-", "–", "—", "n/a", "none", "unavailable"))


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; line breaks in it are kept. A ``warning`` stands out, also in print."""

    text: str
    tone: Literal["plain", "warning", "good"] = "plain"

    def __post_init__(self) -> None:
        if self.tone not in ("plain", "warning", "good"):
            raise ValueError(f"tone: expected plain, warning or good, got {self.tone!r}")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head; columns of numbers are aligned to the right.

    Each row has as many cells as the head (ValueError).
    """

    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.head):
                raise ValueError(f"row: expected {len(self.head)} cells, got {len(row)}: {row}")

    @property
    def kinds(self) -> tuple[str, ...]:
        """For each column: ``number`` (aligned to the right), ``short`` (one line) or ``long``."""
        return tuple(_kind_of([row[i] for row in self.texts]) for i in range(len(self.head)))

    @property
    def texts(self) -> list[list[str]]:
        """The rows as they are shown."""
        return [[_cell_text(cell) for cell in row] for row in self.rows]


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture: the bytes of a PNG or JPEG file, or the text of an SVG one that fetches nothing.

    ``alt`` says in words what is to be seen. ValueError for other content.
    """

    image: bytes | str
    caption: str
    alt: str

    def __post_init__(self) -> None:
        if isinstance(self.image, bytes) and not self.image.startswith((_PNG, _JPEG)):
            raise ValueError("image: expected a PNG or JPEG file's bytes or an SVG's text")
        if isinstance(self.image, str) and not self.image.lstrip().startswith("<svg"):
            raise ValueError("image: expected a PNG or JPEG file's bytes or an SVG's text")

    @property
    def uri(self) -> str:
        """The picture as a data URI."""
        if isinstance(self.image, str):
            kind, data = "svg+xml", self.image.encode()
        else:
            kind, data = "jpeg" if self.image.startswith(_JPEG) else "png", self.image
        return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


Block = Text | Table | Figure


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Page:
    """A whole page: its title, one line under it, and its sections."""

    title: str
    subtitle: str
    sections: Sequence[Section]


def png_of(plot: Any) -> bytes:
    """A matplotlib Figure as the bytes of a PNG file, for ``Figure`` or for a file."""
    stream = io.BytesIO()
    plot.savefig(stream, format="png", dpi=_DPI)
    return stream.getvalue()


def escaping() -> "jinja2.Environment":
    """What makes HTML of every page's template: values are escaped, a missing one is an error."""
    import jinja2

    return jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def render(page: Page) -> str:
    """The page as one HTML document; every text in it is escaped."""
    environment = escaping()
    environment.tests["text"] = _kind(Text)
    environment.tests["table"] = _kind(Table)
    environment.tests["figure"] = _kind(Figure)
    template = resources.files("corrosion_edge").joinpath("templates/page.html")
    return environment.from_string(template.read_text(encoding="utf-8")).render(page=page)


def _kind(block: type[Block]) -> Any:
    return lambda value: isinstance(value, block)


def _cell_text(cell: Cell) -> str:
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def _kind_of(column: Sequence[str]) -> str:
    """A column of numbers holds at least one and, beside numbers, only marks for none."""
    numbers = [text for text in column if text.strip().lower() not in _NOTHING]
    if numbers and all(_NUMBER.fullmatch(text.strip()) for text in numbers):
        return "number"
    return "short" if max(map(len, column), default=0) <= _SHORT else "long"
