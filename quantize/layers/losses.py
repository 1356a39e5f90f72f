"""How much of the change of the log-odds each tensor's rounding makes: estimated, then measured.

Estimated, for all at once: a rounding error e of a tensor moves the log-odds z by about
sum(dz/dx * e), its first-order term. The gradient of the float network gives what a rounding does
alone; that of the rounded network, which passes roundings as if they were not there
(straight-through, Bengio et al. 2013), what leaving out this one rounding takes back. Measured, for
the worst: the network is run again with this one rounded, and with all but this one.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from corrosion_edge.progress import progress
from corrosion_edge.quantize.ladder.rounding import rounded
from corrosion_edge.quantize.layers.pair import Pair
from corrosion_edge.quantize.layers.simulation import Item, Simulation

__all__ = ["COUNTS", "Losses", "attribute"]

_BATCH: Final = 4
COUNTS: Final = (1, 3, 10, 30)
"""How many of the worst tensors are left in float together."""

Changes = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Losses:
    """Changes of the log-odds on n photos; float64 throughout.

    ``alone`` [items, n] is what rounding an item alone adds, ``spared`` [items, n] what leaving it
    alone in float adds to the fully rounded network's; both estimated, except for the items in
    ``measured``. Estimates of ``alone`` stand in ``first_order`` too. ``noise`` [n] is that of the
    fully rounded network as simulated, ``together`` what is left with the worst 1, 3, … items in
    float, ``activations`` with the worst of these alone, ``float_weights`` and
    ``float_activations`` with all of a kind.
    ``folding`` [n] is what the fold of the input's scaling alone does, which is part of the noise;
    ``float_z`` [n] are the float network's log-odds.
    """

    items: Sequence[Item]
    alone: Changes
    spared: Changes
    first_order: Changes
    measured: Sequence[int]
    together: dict[int, Changes]
    activations: dict[int, Changes]
    float_weights: Changes
    float_activations: Changes
    noise: Changes
    folding: Changes
    float_z: Changes


def attribute(pair: Pair, pixels: npt.NDArray[Any], float_z: Changes, measured: int = 12) -> Losses:
    """Attribute the noise to roundings, on pictures [n, h, w, 3] in 0..255.

    ``float_z`` [n] are the log-odds of the float network as it was; the ``measured`` worst items
    are measured besides.
    """
    simulation = Simulation(pair)
    parts = [
        tf.constant(pixels[i : i + _BATCH].astype(np.float32) - np.float32(pair.network.offset))
        for i in range(0, len(pixels), _BATCH)
    ]
    items = simulation.items
    rows = [_estimated(simulation, x) for x in progress(parts, "Estimating", length=len(parts))]
    alone, spared, plain, full = (
        np.concatenate(found, axis=-1) for found in zip(*rows, strict=True)
    )
    worst = [int(i) for i in np.argsort(-np.square(alone).mean(axis=1), kind="stable")]
    first_order, exact = alone.copy(), worst[:measured]
    passes = progress(parts, "Measuring the worst", length=len(parts))
    again = [_measured(simulation, x, [items[i] for i in exact]) for x in passes]
    alone[exact], spared[exact] = np.concatenate(again, axis=-1)
    ranked = [items[i] for i in worst]
    activations = [item for item in ranked if item.kind == "activation"]

    def left(in_float: Iterable[Item]) -> Changes:
        return _with(simulation, parts, set(in_float)) - float_z

    return Losses(
        items=items, alone=alone, spared=spared, first_order=first_order, measured=exact,
        together={n: left(ranked[:n]) for n in COUNTS if n < len(ranked)},
        activations={n: left(activations[:n]) for n in COUNTS if n < len(activations)},
        float_weights=left(item for item in items if item.kind == "weights"),
        float_activations=left(activations),
        noise=full - float_z, folding=plain - float_z, float_z=float_z,
    )  # fmt: skip


def _estimated(simulation: Simulation, x: Any) -> tuple[Changes, Changes, Changes, Changes]:
    """First-order terms alone and spared, and the log-odds of the float and the rounded network."""
    items = simulation.items
    exact, slopes, plain = _slopes(simulation, x, lambda _: False)
    alone = [_moved(slopes, simulation.output(i), _added(simulation, i, exact)) for i in items]
    coarse, slopes, full = _slopes(simulation, x, lambda _: True)
    spared = [
        _moved(slopes, simulation.output(i), _taken_back(simulation, i, coarse, x)) for i in items
    ]
    return np.stack(alone), np.stack(spared), plain, full


def _slopes(
    simulation: Simulation, x: Any, coarse: Callable[[Item], bool]
) -> tuple[dict[int, Any], dict[int, Any], Changes]:
    """All tensors, the gradient of the log-odds by each, and the log-odds [n]."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        values = simulation.run(x, coarse, simulation.straight)
        z = simulation.log_odds(values)
        total = tf.reduce_sum(z)
    numbers = sorted({simulation.output(item) for item in simulation.items})
    read = [values[number] for number in numbers]
    slopes = tape.gradient(total, read, unconnected_gradients="zero")
    return values, dict(zip(numbers, slopes, strict=True)), _double(z)


def _moved(slopes: dict[int, Any], number: int, error: Any) -> Changes:
    """What an error in a tensor does to the log-odds [n], to first order."""
    products = slopes[number] * error
    return _double(tf.reduce_sum(products, range(1, len(products.shape))))


def _added(simulation: Simulation, item: Item, exact: dict[int, Any]) -> Any:
    """The error that rounding one item puts into its tensor of the float network."""
    number = simulation.output(item)
    if item.kind == "weights":
        return simulation.applied(item.place, exact, True) - exact[number]
    return rounded(exact[number], simulation.pair.ranges[number]) - exact[number]


def _taken_back(simulation: Simulation, item: Item, coarse: dict[int, Any], x: Any) -> Any:
    """The error that leaving one item in float takes out of its tensor of the rounded network."""
    if item.place < 0:
        return x - coarse[simulation.output(item)]
    before = simulation.applied(item.place, coarse, True)
    if item.kind == "weights":
        return simulation.applied(item.place, coarse, False) - before
    return before - coarse[simulation.output(item)]


def _measured(simulation: Simulation, x: Any, items: Sequence[Item]) -> Changes:
    """Changes [2, items, n] of the log-odds: with one item alone rounded, with all but it."""
    exact, coarse = simulation.run(x, lambda _: False), simulation.run(x, lambda _: True)
    alone = [_change(simulation, x, exact, item, item.__eq__) for item in items]
    spared = [_change(simulation, x, coarse, item, item.__ne__) for item in items]
    return np.array([alone, spared]).reshape(2, len(items), len(x))


def _change(
    simulation: Simulation,
    x: Any,
    values: dict[int, Any],
    item: Item,
    chosen: Callable[[Item], bool],
) -> Changes:
    start = {simulation.network.input: x} if item.place < 0 else {}
    again = simulation.rerun(values | start, item, chosen)
    return _double(simulation.log_odds(again)) - _double(simulation.log_odds(values))


def _with(simulation: Simulation, parts: Sequence[Any], in_float: set[Item]) -> Changes:
    """Log-odds [n] with some items in float and all others rounded."""
    runs = (simulation.run(x, lambda item: item not in in_float) for x in parts)
    return np.concatenate([_double(simulation.log_odds(values)) for values in runs])


def _double(values: Any) -> Changes:
    return np.asarray(values, np.float64)
