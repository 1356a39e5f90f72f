"""How far the search for an int8 conversion goes; imports nothing."""

from typing import Final

__all__ = ["EFFORTS"]

EFFORTS: Final = ("plain", "search")
"""TensorFlow's conversion alone, or all rungs that train nothing."""
