"""Whose kernels compute on the CPU."""

from typing import Final

__all__ = ["KERNELS"]

KERNELS: Final = ("xnnpack", "builtin")
"""XNNPACK's where it has them, the default, or the runtime's own for all operators."""
