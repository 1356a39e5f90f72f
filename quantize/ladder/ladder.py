"""The rungs, cheapest first: plain conversion, rewrites and ranges, solved and tuned weights."""

import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from corrosion_edge.progress import say
from corrosion_edge.quantize.convert import Conversions, finished
from corrosion_edge.quantize.drift import DriftReport, Limits
from corrosion_edge.quantize.ladder import arithmetic, ranges, statistics
from corrosion_edge.quantize.ladder.fold import Folding, fold
from corrosion_edge.quantize.ladder.integer import write
from corrosion_edge.quantize.ladder.network import Network, read
from corrosion_edge.quantize.ladder.rounding import rounded_weights, rounder
from corrosion_edge.quantize.ladder.solve import settle, solve
from corrosion_edge.quantize.ladder.tune import Epochs, Tuning, tune

__all__ = ["AIMS", "Photos", "Rung", "best", "climb", "ranged", "reaches"]

AIMS: Final = Limits(auc_drop=0.001, mean_change=0.01, largest_change=0.1, agreement=0.99)
"""Where the search ends: an int8 model so near that nobody can tell it from its original."""

_PLAIN: Final = ("plain", "TensorFlow's converter, ranges by minimum and maximum")
_RANGES: Final = ("ranges", "input scaling folded into the first convolution, ranges chosen")
_SOLVED: Final = ("solved", "weights and biases solved layer by layer on rounded inputs")
_TUNED: Final = ("tuned", "solved weights fine-tuned on the training photos, activations rounded")

Judge = Callable[[bytes], DriftReport]
Rise = Callable[[bytes], float]
"""By how much a flatbuffer's rate of false alarms on lookalikes is above the float model's."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rung:
    """A conversion that was tried: what was done, the finished flatbuffer, and how far it drifts.

    ``seconds`` are those of this rung alone. ``notes`` are figures found on the way, by name.
    ``alarm_rise`` is that of the rate of false alarms on photos without corrosion, 0 if there
    were none beside the held-out ones.
    """

    name: str
    what: str
    model: bytes = field(repr=False)
    report: DriftReport
    seconds: float
    notes: Mapping[str, Any] = field(default_factory=dict)
    alarm_rise: float = 0.0

    @property
    def missed(self) -> list[str]:
        """The aims that it does not reach, by name."""
        report = self.report
        most = ("auc_drop", "mean_change", "largest_change")
        found = [name for name in most if abs(getattr(report, name)) > getattr(AIMS, name)]
        found += ["agreement"] if report.agreement < AIMS.agreement else []
        return found + (["alarm_rise"] if self.alarm_rise > 0 else [])

    @property
    def sentence(self) -> str:
        """How far it drifts, in words."""
        report = self.report
        return (
            f"probabilities change by {report.mean_change:.4f} on average and "
            f"{report.largest_change:.3f} at most, {report.agreement:.2%} of the verdicts agree "
            f"({self.seconds:.0f} s)"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, without the model."""
        report = self.report
        return {
            "name": self.name,
            "what": self.what,
            "seconds": round(self.seconds, 1),
            "mean_change": report.mean_change,
            "largest_change": report.largest_change,
            "agreement": report.agreement,
            "accuracy_drop": report.accuracy_drop,
            "auc_drop": report.auc_drop,
            "alarm_rise": self.alarm_rise,
            "aims_missed": self.missed,
            "limits_broken": list(report.broken),
            **self.notes,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Photos:
    """``calibration`` float32 [n, h, w, 3] in 0..255 is what is fitted on; ``held_out``, uint8 or
    float32 [m, h, w, 3], with the float model's log-odds [m], is what choices are made by.
    ``epochs`` gives what fine-tuning trains on."""

    calibration: npt.NDArray[np.float32]
    held_out: npt.NDArray[Any]
    log_odds: npt.NDArray[np.float64]
    epochs: Epochs


def climb(
    made: Conversions,
    photos: Photos,
    judge: Judge,
    effort: str,
    rise: Rise = lambda _: 0.0,
) -> Iterator[Rung]:
    """Yield rung after rung; who takes them stops when one ``reaches`` the aims.

    ``judge`` compares a finished flatbuffer with the float model on the held-out photos. The
    plain conversion comes first; ``effort``, one of ``EFFORTS``, says how far to go. Raises
    BackendError where the search does not know one of the network's operators.
    """
    timed = functools.partial(_timed, judge, rise)
    yield timed(_PLAIN, lambda: (made.integer, {}))
    if effort == "plain":
        return
    search = _Search(made, photos)
    yield timed(_RANGES, search.ranged)
    yield timed(_SOLVED, search.solved)
    if effort == "finetune":
        yield timed(_TUNED, search.tuned)


def ranged(made: Conversions, photos: Photos) -> tuple[bytes, Mapping[str, Any]]:
    """The flatbuffer of the rung ``ranges`` alone, not yet finished, and its notes.

    The operators are those of the later rungs, which differ in numbers alone. Raises as ``climb``.
    """
    return _Search(made, photos).ranged()


class _Search:
    """What the rungs share."""

    def __init__(self, made: Conversions, photos: Photos) -> None:
        self._made, self._photos = made, photos
        self._original = read(made.float_model)
        arithmetic.require_known(self._original)
        self._folding = fold(self._original)
        self._network = self._folding[0] if self._folding else self._original
        self._ranges: Mapping[int, ranges.Range] = {}
        self._mended: Mapping[int, npt.NDArray[Any]] = {}

    @functools.cached_property
    def _found(self) -> statistics.Statistics:
        say("Measuring how much each rounding matters")
        return statistics.gather(self._network, self._photos.calibration)

    def ranged(self) -> tuple[bytes, dict[str, Any]]:
        """The ranges that change probabilities least, and what was found of all."""
        histograms = self._found.histograms
        say("Choosing ranges")
        tried = {m: ranges.choose(self._network, histograms, m) for m in ranges.METHODS}
        changes = {m: _change(self._network, r, self._photos) for m, r in tried.items()}
        method = min(changes, key=lambda m: changes[m])
        self._ranges = tried[method]
        notes = {"ranges": method, "mean_change_by_ranges": changes} | _told(self._folding)
        return self._written({}), notes

    def solved(self) -> tuple[bytes, dict[str, Any]]:
        """Weights and biases on top of the chosen ranges."""
        calibration, places = self._photos.calibration, self._found.places
        self._mended = solve(self._network, self._ranges, calibration, places)
        return self._written(self._mended), {}

    def tuned(self) -> tuple[bytes, dict[str, Any]]:
        """Training on top of the solved weights."""
        calibration, places = self._photos.calibration, self._found.places
        learned = tune(self._network, self._mended, self._ranges, self._photos.epochs)
        settled = settle(self._network, learned, self._ranges, calibration, places)
        return self._written(settled), asdict(Tuning())

    def _written(self, mended: Mapping[int, npt.NDArray[Any]]) -> bytes:
        return write(self._made.integer, self._network, self._ranges, self._original, mended)


def reaches(rung: Rung) -> bool:
    """Whether a rung keeps its limits and reaches all ``AIMS``."""
    return not rung.report.broken and not rung.missed


def best(rungs: Sequence[Rung]) -> Rung:
    """The first that reaches the aims; else, of those within the limits, if any, the nearest."""
    if found := [rung for rung in rungs if reaches(rung)]:
        return found[0]
    within = [rung for rung in rungs if not rung.report.broken] or rungs
    return min(within, key=lambda rung: rung.report.mean_change)


def _timed(
    judge: Judge,
    rise: Rise,
    title: tuple[str, str],
    make: Callable[[], tuple[bytes, dict[str, Any]]],
) -> Rung:
    start = time.monotonic()
    content, notes = make()
    model = finished(content)
    seconds = time.monotonic() - start
    return Rung(
        name=title[0], what=title[1], model=model, report=judge(model), seconds=seconds,
        notes=notes, alarm_rise=rise(model),
    )  # fmt: skip


def _change(network: Network, chosen: Mapping[int, ranges.Range], photos: Photos) -> float:
    """Mean change of a probability on the held-out photos, as simulated."""
    z = arithmetic.log_odds(network, photos.held_out, rounded_weights(network), rounder(chosen))
    return float(np.abs(_probability(z) - _probability(photos.log_odds)).mean())


def _probability(z: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-z)))


def _told(folded: tuple[Network, Folding] | None) -> dict[str, Any]:
    if folded is None:
        return {"folded": "nothing to fold"}
    zero, exact = folded[1].zero, folded[1].exact
    return {"folded": f"pixel {zero} is 0, {'exact' if exact else 'the border is another grey'}"}
