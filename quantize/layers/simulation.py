"""A network in which some tensors are rounded as the int8 file does it, and all others are not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import tensorflow as tf

from corrosion_edge.quantize.ladder.arithmetic import apply
from corrosion_edge.quantize.ladder.rounding import rounded
from corrosion_edge.quantize.layers.pair import Pair

__all__ = ["Item", "Simulation"]

Values = Mapping[int, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """Something that int8 rounds: what operator ``place`` gives, or its weights with their bias.

    The network's input is the activation at place -1.
    """

    kind: Literal["activation", "weights"]
    place: int


class Simulation:
    """Runs the part of a pair's network that makes the log-odds."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.network = pair.network
        self._needed = self._leading_there()

    @property
    def items(self) -> list[Item]:
        """All that is rounded on the way to the log-odds, in order."""
        found = [Item("activation", -1)]
        for place in self._needed:
            if self.pair.constants[place]:
                found.append(Item("weights", place))
            found.append(Item("activation", place))
        return found

    def output(self, item: Item) -> int:
        """The tensor in which an item's rounding first shows."""
        return self.network.input if item.place < 0 else self.network.ops[item.place].output

    def run(
        self, x: Any, coarse: Callable[[Item], bool], round_: Callable[..., Any] = rounded
    ) -> dict[int, Any]:
        """All tensors for pictures ``x`` float32 [n, h, w, 3], less the offset.

        ``coarse`` says of each item whether it is rounded; ``round_`` is how.
        """
        return self.rerun({self.network.input: x}, Item("activation", -1), coarse, round_)

    def rerun(
        self,
        values: Values,
        since: Item,
        coarse: Callable[[Item], bool],
        round_: Callable[..., Any] = rounded,
    ) -> dict[int, Any]:
        """The tensors of an earlier run, those that depend on ``since`` computed again."""
        found, changed = dict(values), {self.output(since)}
        if since.place < 0 and coarse(since):
            number = self.network.input
            found[number] = round_(values[number], self.pair.ranges[number])
        for place in self._needed:
            op = self.network.ops[place]
            if place == since.place or (place > since.place and changed & set(op.inputs)):
                value = self.applied(place, found, coarse(Item("weights", place)))
                rounds = coarse(Item("activation", place))
                found[op.output] = round_(value, self.pair.ranges[op.output]) if rounds else value
                changed.add(op.output)
        return found

    def applied(self, place: int, values: Values, coarse: bool) -> Any:
        """What one operator gives, with the int8 file's constants or with the float ones."""
        constants = self.pair.constants[place] if coarse else {}
        return apply(self.network, self.network.ops[place], values, constants)

    def log_odds(self, values: Values) -> Any:
        """Log-odds of corrosion, float32 [n]."""
        both = values[self.network.log_odds]
        return both[:, 1] - both[:, 0]

    def straight(self, value: Any, held: Any) -> Any:
        """Rounding that gradients pass as if it were not there (Bengio et al. 2013)."""
        return value + tf.stop_gradient(rounded(value, held) - value)

    def _leading_there(self) -> list[int]:
        wanted, found = {self.network.log_odds}, []
        for place, op in reversed(list(enumerate(self.network.ops))):
            if op.output in wanted:
                wanted |= set(op.inputs)
                found.append(place)
        return found[::-1]
