"""The type of options that are numbers."""

import math
from typing import Any

import click

__all__ = ["Number"]


class Number(click.FloatRange):
    """A number within limits. NaN is refused, which no limit keeps out as it compares with none."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """See ``click.ParamType.convert``."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"expected a number, got {value!r}", param, ctx)
        return number
