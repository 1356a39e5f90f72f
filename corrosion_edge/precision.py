"""The arithmetic of a network: which numbers its weights, activations and outputs are."""

from typing import Final, Literal

__all__ = ["INT8", "PRECISIONS", "output_dtype", "require_precision"]

INT8: Final = "int8"
"""The precision that is delivered: integers throughout."""

PRECISIONS: Final = {
    INT8: "weights, activations and outputs of 8 bits",
    "float32": "nothing rounded",
    "float16": "weights in half precision; a runtime may compute in it too",
    "dynamic": "weights of 8 bits, activations rounded to 8 bits anew in every layer",
    "int16x8": "weights of 8 bits, activations of 16",
}
"""What a model file can be, and what is rounded in it. All take pixels, uint8, as they are."""


def require_precision(name: object) -> None:
    """ValueError for anything but one of ``PRECISIONS``."""
    if not isinstance(name, str) or name not in PRECISIONS:
        raise ValueError(f"precision: expected one of {', '.join(PRECISIONS)}, got {name!r:.80}")


def output_dtype(precision: str) -> Literal["integer", "float32"]:
    """What the outputs of a network of a precision are."""
    return "integer" if precision == INT8 else "float32"
