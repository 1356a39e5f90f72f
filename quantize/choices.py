"""What options of ``quantize`` may be; imports nothing."""

from typing import Final

__all__ = ["EFFORTS", "TARGETS"]

EFFORTS: Final = ("plain", "search")
"""How far the search goes: TensorFlow's conversion alone, or all rungs that train nothing."""

TARGETS: Final = ("cpu", "edgetpu")
"""What a model is made for."""
