"""Running the rows of the paper's tables, one seed after another, and resuming where it ended."""

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import click

from corrosion_edge.errors import WeightsError
from corrosion_edge.image import Preprocessing
from corrosion_edge.trainer.load import Splits, load
from corrosion_edge.trainer.reproduce import facts, weights
from corrosion_edge.trainer.reproduce.ledger import Ledger
from corrosion_edge.trainer.reproduce.paper import Method, Size
from corrosion_edge.trainer.reproduce.plan import Selection
from corrosion_edge.trainer.reproduce.rows import MakeRunner, Row, Runner, Setup, Views

__all__ = ["LEDGER", "Planned", "Request", "load_photos", "plan", "run"]

LEDGER: Final = "ledger"
"""The folder of finished results in the folder of a reproduction."""

_SPLIT_SEED: Final = 1  # of a folder that comes unsplit
_STOPPED: Final = "the command was stopped before"
_WITH_RESULTS: Final = ("corrosion-edge", "tensorflow", "keras")
SizeOf = Callable[[str, int], Size]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a user asks for; ``given`` weights by backbone, ``seeds`` counted from 1."""

    data: Path
    out: Path
    selection: Selection = field(default_factory=Selection)
    seeds: int = 5
    views: Views = "shared"
    method: Method = field(default_factory=Method)
    positive: str | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    weights_dir: Path | None = None

    @property
    def ledger(self) -> Path:
        """Where results are kept."""
        return self.out / LEDGER

    @property
    def seed_numbers(self) -> tuple[int, ...]:
        """1 to ``seeds``."""
        return tuple(range(1, self.seeds + 1))


@dataclass(frozen=True, slots=True)
class Planned:
    """A row with the seeds that are still to be run, and the seconds they are predicted to take."""

    row: Row
    seeds: tuple[int, ...]
    seconds: float


def load_photos(request: Request) -> Splits:
    """Read and prepare all photos (DataError, also if there is no test split)."""
    size = request.method.image_size
    spec = Preprocessing(size, size)
    splits = load(request.data, spec, positive=request.positive, seed=_SPLIT_SEED)
    if "test" not in splits.samples:
        splits.dataset.of("test")  # raises, naming the splits there are
    return splits


def plan(request: Request, splits: Splits, make_runner: MakeRunner) -> list[Planned]:
    """What ``run`` would do; nothing is trained or written."""
    ledger = None
    if request.ledger.exists():
        ledger = Ledger.read(request.ledger)
        ledger.require(_identity(request, splits))
    with make_runner(_setup(request, splits)) as runner:
        return [_planned(request, ledger, runner, row) for row in request.selection.rows()]


def run(request: Request, splits: Splits, make_runner: MakeRunner, size_of: SizeOf) -> None:
    """Run what is not in the ledger yet; every finished seed is kept at once.

    Ctrl-C and SIGTERM end it between or within seeds; what is finished stays. Rows without
    weights are passed over; the ledger notes why. Raises UsageError if the ledger's results and
    these must not be mixed, OutputError.
    """
    setup = _setup(request, splits)
    with Ledger.open(request.ledger, _identity(request, splits)) as ledger, _stoppable():
        identities = {n: weights.identity(n, value) for n, value in setup.weights.items()}
        ledger.require_weights(identities)
        work = _Work(request, ledger, identities)
        work.note(splits)
        try:
            work.measure_sizes(size_of)
            with make_runner(setup) as runner:
                work.run_rows(runner)
        except KeyboardInterrupt:
            work.stopped()
        finally:
            work.note(splits)


class _Work:
    """One command's way through its rows; ``reasons`` says, by row key, why one was not run."""

    def __init__(self, request: Request, ledger: Ledger, identities: Mapping[str, str]) -> None:
        self.request = request
        self.ledger = ledger
        self.identities = identities
        self.reasons: dict[str, str] = {}
        self._without: dict[str, str] = {}  # backbones without weights, and why

    def note(self, splits: Splits) -> None:
        """Keep what the report says about the making."""
        notes = self.ledger.notes()
        machines = [*notes.get("machines", []), facts.machine()]
        reasons = notes.get("not_run", {}) | self.reasons
        done = {row.key for row in self.request.selection.rows() if not self._to_do(row)}
        self.ledger.set_notes(
            {
                "data": splits.describe(),
                "machines": list(dict.fromkeys(machines)),
                "versions": facts.versions(),
                "not_run": {key: why for key, why in reasons.items() if key not in done},
            }
        )

    def measure_sizes(self, size_of: SizeOf) -> None:
        """Table 1."""
        known = self.ledger.sizes()
        for name in self.request.selection.sizes():
            if name not in known:
                self.ledger.add_size(name, size_of(name, self.request.method.image_size))
                _say(f"Table 1: {name} measured")

    def run_rows(self, runner: Runner) -> None:
        """All rows; those of a backbone whose weights cannot be had are passed over."""
        rows = self.request.selection.rows()
        for place, row in enumerate(rows, 1):
            if row.backbone not in self._without and self._to_do(row):
                left = sum(self._will_run(other) for other in rows[place:])
                try:
                    self._run_row(runner, row, f"[{place}/{len(rows)}]", left)
                except WeightsError as error:
                    self._without[row.backbone] = self._no_weights(row.backbone, error)
            if row.backbone in self._without:
                self.reasons[row.key] = self._without[row.backbone]

    def stopped(self) -> None:
        """Every row that is not finished gets its reason."""
        _say("Stopped; the same command goes on from here.")
        for row in self.request.selection.rows():
            if self._to_do(row):
                self.reasons.setdefault(row.key, f"{_STOPPED} it was done")

    def _run_row(self, runner: Runner, row: Row, place: str, left: int) -> None:
        seeds = self._to_do(row)
        predicted = runner.predict(row, seeds)
        _say(f"{place} {row.title}: {_seeds(len(seeds))}, predicted {_minutes(predicted)}; "
             f"{left} more row{'s' * (left != 1)} to run")  # fmt: skip
        actual = 0.0
        for seed in seeds:
            outcome = runner.run(row, seed)
            self.ledger.add(outcome, self.identities[row.backbone])
            actual += outcome.seconds
            _say(f"{place} seed {seed}: test accuracy {outcome.test.accuracy:.4f}")
        self.reasons.pop(row.key, None)
        _say(f"{place} took {_minutes(actual)}, predicted {_minutes(predicted)}")

    def _no_weights(self, backbone: str, error: WeightsError) -> str:
        """The reason, with the option as it is called here."""
        reason = str(error).replace("--weights FILE", f"--weights {backbone}=FILE")
        _say(f"{backbone}: {reason}")
        return reason

    def _will_run(self, row: Row) -> bool:
        return row.backbone not in self._without and bool(self._to_do(row))

    def _to_do(self, row: Row) -> tuple[int, ...]:
        return _missing(self.request, self.ledger, row)


def _planned(request: Request, ledger: Ledger | None, runner: Runner, row: Row) -> Planned:
    seeds = _missing(request, ledger, row)
    return Planned(row, seeds, runner.predict(row, seeds) if seeds else 0.0)


def _missing(request: Request, ledger: Ledger | None, row: Row) -> tuple[int, ...]:
    """The seeds of a row that are to be run."""
    numbers = request.seed_numbers
    if ledger is None:
        return numbers
    return tuple(seed for seed in numbers if not ledger.has(row, request.views, seed))


def _identity(request: Request, splits: Splits) -> dict[str, Any]:
    """What results must share to stand beside each other."""
    versions, data = facts.versions(), splits.describe()
    size = request.method.image_size
    return {
        "versions": {name: versions[name] for name in _WITH_RESULTS},
        "data": {name: data[name] for name in ("fingerprint", "classes", "split")},
        "method": request.method.to_dict(),
        "preprocessing": Preprocessing(size, size).to_dict(),
    }


def _setup(request: Request, splits: Splits) -> Setup:
    rows = request.selection.rows()
    backbones = dict.fromkeys(row.backbone for row in rows)
    return Setup(
        splits=splits,
        method=request.method,
        weights=weights.resolve(backbones, request.given, request.weights_dir),
        views=request.views,
        seeds=request.seed_numbers,
        scratch=request.out / "scratch",
        thawed=frozenset(row.backbone for row in rows if row.fine_tune is not None),
    )


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does (in the main thread, where handlers can be set)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _seeds(count: int) -> str:
    return f"{count} seed{'s' * (count > 1)}"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f} min"


def _say(text: str) -> None:
    click.echo(text, err=True)
