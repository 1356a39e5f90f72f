"""Signal-to-quantization-noise ratio of tensors, and what else tells how int8 holds them.

SQNR = 10 log10(sum(x ** 2) / sum((x - y) ** 2)) in decibels, x in float and y as int8 holds it,
over all values on all photos (Jayant and Noll 1984, "Digital coding of waveforms"; for networks:
Lin et al. 2016, "Fixed point quantization of deep convolutional networks"). One bit more is 6 dB.
A plain rounding to steps of s has a root mean square error of s / sqrt(12) = 0.29 steps (Bennett
1948, "Spectra of quantized signals").
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from corrosion_edge.quantize.ladder.ranges import Range

__all__ = ["Fidelity", "Tally", "decibels", "sqnr", "worst_channel"]

Array = npt.NDArray[Any]


def decibels(signal: float, noise: float) -> float | None:
    """SQNR from the two powers: infinite without noise, None where there is no signal."""
    if not (signal >= 0 and noise >= 0):
        raise ValueError(f"expected powers of 0 or more, got {signal} and {noise}")
    if signal == 0:
        return None
    return math.inf if noise == 0 else 10 * (math.log10(signal) - math.log10(noise))


def sqnr(exact: Array, coarse: Array) -> float | None:
    """SQNR of one array in another of the same shape; see ``decibels``."""
    if exact.shape != coarse.shape:
        raise ValueError(f"coarse: expected the shape {exact.shape}, got {coarse.shape}")
    x = exact.astype(np.float64)
    return decibels(_power(x), _power(x - coarse))


def worst_channel(exact: Array, coarse: Array, axis: int) -> float | None:
    """The least SQNR of all channels along ``axis``; channels without signal do not count."""
    pairs = zip(np.moveaxis(exact, axis, 0), np.moveaxis(coarse, axis, 0), strict=True)
    return min((db for x, y in pairs if (db := sqnr(x, y)) is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fidelity:
    """How an int8 tensor holds what the float network has there.

    ``snr`` compares with the real runtime, errors of all earlier layers included; ``own`` with the
    float values rounded here alone. Both in dB, see ``decibels``. ``clipped`` is the share of the
    float values more than half a step beyond the range, ``levels`` the number of int8 values that
    occur, ``bias`` and ``rmse`` the mean of int8 - float and the root mean square, in steps.
    """

    snr: float | None
    own: float | None
    held: Range
    clipped: float
    levels: int
    bias: float
    rmse: float


@dataclass(slots=True)
class Tally:
    """Sums over photos for one tensor that int8 holds in the range ``held``."""

    held: Range
    count: int = 0
    signal: float = 0.0
    noise: float = 0.0
    own: float = 0.0
    shift: float = 0.0
    clipped: int = 0
    seen: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(256, np.bool_))

    def add(self, exact: Array, integers: Array) -> None:
        """One photo's tensor: float32, and int8 of as many values in the same order."""
        x, q, held = exact.reshape(-1), integers.reshape(-1), self.held
        if q.dtype != np.int8 or len(x) != len(q):
            raise ValueError(f"expected {len(x)} int8 values, got {len(q)} {q.dtype}")
        scale = np.float32(held.scale)
        in_steps = x / scale
        error = q.astype(np.float32) - np.float32(held.zero) - in_steps
        rounded = np.clip(np.rint(in_steps), -128 - held.zero, 127 - held.zero) - in_steps
        self.count += len(x)
        self.signal += _power(in_steps)
        self.noise += _power(error)
        self.own += _power(rounded)
        self.shift += float(error.sum(dtype=np.float64))
        self.clipped += int(np.count_nonzero(np.abs(rounded) > 0.501))
        self.seen[q.view(np.uint8)] = True

    @property
    def fidelity(self) -> Fidelity:
        """What the sums say (ValueError without any photo)."""
        if not self.count:
            raise ValueError("expected one photo or more, got none")
        return Fidelity(
            snr=decibels(self.signal, self.noise),
            own=decibels(self.signal, self.own),
            held=self.held,
            clipped=self.clipped / self.count,
            levels=int(self.seen.sum()),
            bias=self.shift / self.count,
            rmse=math.sqrt(self.noise / self.count),
        )


def _power(values: Array) -> float:
    flat = values.reshape(-1)
    return float(np.dot(flat, flat))
