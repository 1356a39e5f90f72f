"""The type of options that say the size of a picture."""

import re
from typing import Any, Final

import click

__all__ = ["SIZE", "PictureSize"]

_SIDES: Final = range(16, 8193)


class PictureSize(click.ParamType):
    """``1920x1080`` as (width, height); refuses what is none, and sides beyond 16 to 8192."""

    name = "WxH"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Read one; a pair stays as it is."""
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", value, re.ASCII)
        if not found:
            self.fail(f"expected width x height such as 1920x1080, got {value!r}", param, ctx)
        width, height = int(found[1]), int(found[2])
        if width not in _SIDES or height not in _SIDES:
            limits = f"{_SIDES[0]} to {_SIDES[-1]}"
            self.fail(f"expected sides of {limits} pixels, got {value}", param, ctx)
        return width, height


SIZE: Final = PictureSize()
