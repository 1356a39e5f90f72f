"""What options of ``quantize`` may be; imports nothing."""

from typing import Final

__all__ = ["EFFORTS", "TARGETS"]

EFFORTS: Final = ("plain", "search", "finetune")
"""How far to go: TensorFlow's conversion alone, all rungs that train nothing, or training too."""

TARGETS: Final = ("cpu", "edgetpu")
"""What a model is made for."""
