"""The tensors of a network on many photos, between one operator and the next, in little memory."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from corrosion_edge.quantize.ladder.arithmetic import apply
from corrosion_edge.quantize.ladder.network import Network, Op
from corrosion_edge.quantize.ladder.ranges import Range
from corrosion_edge.quantize.ladder.rounding import integers

__all__ = ["Kept"]

_AT_A_TIME: Final = 16
Array = npt.NDArray[Any]


class Kept:
    """Runs operator by operator and keeps what is still to be read.

    Rounded tensors are kept as the int8 that they are, others as float16, whose error is far
    below a step of int8.
    """

    def __init__(self, network: Network, pixels: npt.NDArray[np.float32]) -> None:
        self.network = network
        self._ranges: dict[int, Range] = {}
        self._values: dict[int, Array] = {network.input: pixels - np.float32(network.offset)}

    def run(
        self, op: Op, constants: Mapping[int, Array] | None = None, held: Range | None = None
    ) -> None:
        """Apply an operator, with other constants where given, and round to ``held`` if given."""
        parts = []
        for start in range(0, len(self._values[self._given(op)[0]]), _AT_A_TIME):
            value = self._apply(op, slice(start, start + _AT_A_TIME), constants or {})
            parts.append(_int8(value, held) if held else _half(value))
        self._values[op.output] = np.concatenate(parts)
        if held:
            self._ranges[op.output] = held

    def applied(self, op: Op, photos: int) -> Any:
        """What an operator with its own constants gives for the first ``photos``; not kept."""
        return self._apply(op, slice(0, photos), {})

    def first(self, number: int, photos: int) -> Any:
        """A kept tensor of the first ``photos``, float32."""
        return self._float(number, slice(0, photos))

    def drop(self, number: int) -> None:
        """Forget a tensor, if it is here."""
        self._values.pop(number, None)

    def _given(self, op: Op) -> list[int]:
        return [number for number in op.inputs if number in self._values]

    def _apply(self, op: Op, part: slice, constants: Mapping[int, Array]) -> Any:
        values = {number: self._float(number, part) for number in self._given(op)}
        return apply(self.network, op, values, constants)

    def _float(self, number: int, part: slice) -> Any:
        value = tf.constant(self._values[number][part].astype(np.float32))
        held = self._ranges.get(number)
        return (value - held.zero) * held.scale if held else value


def _int8(value: Any, held: Range) -> Array:
    return np.asarray(tf.cast(integers(value, held), tf.int8).numpy())


def _half(value: Any) -> Array:
    most = float(np.finfo(np.float16).max)
    return np.asarray(tf.clip_by_value(value, -most, most).numpy().astype(np.float16))
