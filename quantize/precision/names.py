"""What ``--compare`` can be asked for; light, as the command line reads it."""

from typing import Final

from corrosion_edge.precision import INT8, PRECISIONS

__all__ = ["COMPARED", "PLAIN"]

PLAIN: Final = "plain"
"""The plain int8 conversion, by TensorFlow's converter alone."""

COMPARED: Final = (PLAIN, *(name for name in PRECISIONS if name != INT8))
"""Names of conversions that can be compared with the one that is delivered."""
