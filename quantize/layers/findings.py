"""All that was found about a conversion's tensors, as rows, sentences and plain values."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from corrosion_edge.quantize.layers.losses import Losses, attribute
from corrosion_edge.quantize.layers.pair import Pair
from corrosion_edge.quantize.layers.simulation import Item
from corrosion_edge.quantize.layers.truth import Truth, compare

__all__ = ["FIELDS", "Findings", "Row", "examine"]

_HALF: Final = 0.5  # of the squared noise, from which on a few tensors are said to make it
_FEW: Final = 10
_MEASURED: Final = ("snr", "own", "clipped", "levels", "bias", "rmse")
_BLOCK: Final = re.compile(r"(block_?\d+[a-z]?|conv\d+_block\d+|log_odds|[^_/]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One tensor. What does not apply to it, or has no value, is None.

    ``depth`` is its operator's place in the float file from 1; ``gated`` tensors feed a sigmoid.
    ``snr``, ``own`` and ``worst_channel`` are in dB, infinite where int8 is exact; ``own`` leaves
    out the errors of earlier layers. ``bias`` and ``rmse`` are in steps of ``scale``. ``loss`` is
    the root mean square change of the log-odds that its rounding alone makes, ``loss_mean`` and
    ``loss_std`` that change's mean and standard deviation, ``mean_change`` the mean absolute change
    of the probability, ``share`` its part of the sum of all squared losses. ``gain`` is by how much
    the noise of the whole falls with it alone in float; below 0, the noise rises. The last six are
    None for tensors that the scores do not depend on; ``measured`` says that they are no estimates.
    """

    name: str
    kind: str
    op: str
    block: str
    depth: int
    gated: bool
    snr: float | None
    own: float | None = None
    worst_channel: float | None = None
    clipped: float | None = None
    levels: int | None = None
    bias: float | None = None
    rmse: float | None = None
    scale: float | None = None
    zero: int | None = None
    low: float | None = None
    high: float | None = None
    loss: float | None = None
    loss_mean: float | None = None
    loss_std: float | None = None
    mean_change: float | None = None
    share: float | None = None
    gain: float | None = None
    measured: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values; an infinite SNR is None and its name then stands in ``exact``."""
        values = asdict(self)
        exact = [name for name, value in values.items() if value == math.inf]
        return values | dict.fromkeys(exact) | {"exact": exact}


FIELDS: Final = tuple(Row.__dataclass_fields__)
"""Names of a row's fields, in order."""


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """Rows of all tensors in the order of execution, and the noise of the log-odds.

    Noise is the root mean square of int8 - float, over ``photos`` photos: ``noise`` in the runtime,
    ``simulated`` in float arithmetic with roundings, ``folding`` what folding the input's scaling
    alone does, ``left`` the simulated with something in float: "10 tensors" (the worst), "10
    activations", "weights", "activations". ``first_order_error`` is the median relative error of
    the estimated losses where they were measured.
    """

    rows: Sequence[Row]
    photos: int
    noise: float
    simulated: float
    folding: float
    first_order_error: float
    left: Mapping[str, float]

    @property
    def worst(self) -> list[Row]:
        """The rows with a loss, the largest first."""
        return sorted((r for r in self.rows if r.loss is not None), key=lambda r: -(r.loss or 0))

    @property
    def blocks(self) -> dict[str, tuple[float, float]]:
        """Sums of squared losses of activations and of weights, by block, in order."""
        found: dict[str, tuple[float, float]] = {}
        for row in self.rows:
            a, w = found.get(row.block, (0.0, 0.0))
            square = (row.loss or 0.0) ** 2
            activation = row.kind == "activation"
            found[row.block] = (a + square, w) if activation else (a, w + square)
        return found

    @property
    def sentences(self) -> list[str]:
        """Whether a few tensors make the loss, from the figures."""
        return [
            f"Log-odds of {self.photos} photos change by {self.noise:.3f} (root mean square) in "
            f"the runtime, by {self.simulated:.3f} as simulated.",
            self._few(),
            f"With all weights in float {self.left['weights']:.3f} is left, with all activations "
            f"in float {self.left['activations']:.3f}.",
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "photos": self.photos,
            "noise": self.noise,
            "simulated_noise": self.simulated,
            "folding_noise": self.folding,
            "first_order_error": self.first_order_error,
            "noise_left": dict(self.left),
            "sentences": self.sentences,
            "tensors": [row.to_dict() for row in self.rows],
        }

    def _few(self) -> str:
        """Whichever of the worst tensors and the worst activations takes more of the noise away."""
        if not self.simulated:
            return "Rounding changes nothing here."
        left = {name: noise for name, noise in self.left.items() if name.split()[0] == str(_FEW)}
        if not left:
            return f"It has no more than {_FEW} tensors."
        name = min(left, key=lambda name: left[name])
        squares = [(row.loss or 0.0) ** 2 for row in self.worst
                   if "activations" not in name or row.kind == "activation"]  # fmt: skip
        taken = 1 - (left[name] / self.simulated) ** 2
        says = "A few tensors make the loss" if taken >= _HALF else "No few tensors make the loss"
        return (
            f"{says}: the {_FEW} worst of {len(squares)} {name.split()[1]} have "
            f"{sum(squares[:_FEW]) / (sum(squares) or 1):.0%} of single ones' squared losses; "
            f"with them in float the squared noise {'falls' if taken >= 0 else 'rises'} by "
            f"{abs(taken):.0%}, to a root mean square of {left[name]:.3f}."
        )


def examine(
    float_model: bytes, integer: bytes, pixels: npt.NDArray[np.uint8], measured: int = 12
) -> Findings:
    """Compare two flatbuffers on pictures, uint8 [n, h, w, 3], n from 1.

    The losses of the ``measured`` worst tensors are measured, those of the others estimated.
    Raises BackendError where the two are not of the same operators.
    """
    pair = Pair.of(float_model, integer)
    truth = compare(pair, pixels)
    losses = attribute(pair, pixels, truth.before, measured)
    return Findings(
        rows=_rows(pair, truth, losses),
        photos=len(pixels),
        noise=_rms(truth.after - truth.before),
        simulated=_rms(losses.noise),
        folding=_rms(losses.folding),
        first_order_error=_first_order_error(losses),
        left={f"{n} tensors": _rms(noise) for n, noise in losses.together.items()}
        | {f"{n} activations": _rms(noise) for n, noise in losses.activations.items()}
        | {"weights": _rms(losses.float_weights), "activations": _rms(losses.float_activations)},
    )


def _rms(values: npt.NDArray[np.float64]) -> float:
    return float(np.sqrt(np.square(values).mean()))


def _first_order_error(losses: Losses) -> float:
    """Median, over what was measured, of the relative error of an estimated loss."""
    pairs = [(_rms(losses.first_order[i]), _rms(losses.alone[i])) for i in losses.measured]
    return float(np.median([abs(e - m) / m for e, m in pairs if m] or [0.0]))


def _rows(pair: Pair, truth: Truth, losses: Losses) -> list[Row]:
    found = {item: _loss(losses, i) for i, item in enumerate(losses.items)}
    gates = {n for op in pair.network.ops if op.kind == "LOGISTIC" for n in op.inputs}
    network = pair.network
    rows = [_activation(pair, truth, network.input, "INPUT", 0, gates)
            | found.get(Item("activation", -1), {})]  # fmt: skip
    for place, op in enumerate(network.ops):
        if place in truth.weights:
            rows.append(_weights(pair, truth, place) | found.get(Item("weights", place), {}))
        row = _activation(pair, truth, op.output, op.kind, op.place + 1, gates)
        rows.append(row | found.get(Item("activation", place), {}))
    return [Row(**row) for row in rows]


def _activation(
    pair: Pair, truth: Truth, number: int, op: str, depth: int, gates: set[int]
) -> dict[str, Any]:
    found, name = truth.activations[number], pair.names[number]
    held = found.held
    values = {key: getattr(found, key) for key in _MEASURED}
    place = {"name": name, "op": op, "block": _block(name), "depth": depth}
    ends = {"scale": held.scale, "zero": held.zero, "low": held.low, "high": held.high}
    return values | place | ends | {"kind": "activation", "gated": number in gates}


def _weights(pair: Pair, truth: Truth, place: int) -> dict[str, Any]:
    op, found = pair.network.ops[place], truth.weights[place]
    layer = pair.names[op.output].rpartition("/")[0] or pair.names[op.output]
    name = f"{layer}/weights" if found.worst is not None else f"{layer}/constant"
    place_ = {"name": name, "op": op.kind, "block": _block(layer), "depth": op.place + 1}
    return place_ | {"kind": "weights", "gated": False, "snr": found.snr,
                     "worst_channel": found.worst}  # fmt: skip


def _loss(losses: Losses, i: int) -> dict[str, Any]:
    alone, z = losses.alone[i], losses.float_z
    squares = np.square(losses.alone).mean(axis=1)
    return {
        "loss": _rms(alone),
        "loss_mean": float(alone.mean()),
        "loss_std": float(alone.std()),
        "mean_change": float(np.abs(_probability(z + alone) - _probability(z)).mean()),
        "share": float(squares[i] / (squares.sum() or 1.0)),
        "gain": _rms(losses.noise) - _rms(losses.noise + losses.spared[i]),
        "measured": i in losses.measured,
    }


def _probability(z: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(0.5 * (1 + np.tanh(z / 2)))


def _block(name: str) -> str:
    """The part of the network by the layer's name: block6h of block6h_se_excite/mul."""
    match = _BLOCK.match(name)
    return match.group(0) if match else name
