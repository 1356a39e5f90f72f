"""Running the rows of the paper's tables, one seed after another, and resuming where it ended."""

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from corrosion_edge.image import Preprocessing
from corrosion_edge.trainer.load import Splits, load
from corrosion_edge.trainer.reproduce import facts, weights
from corrosion_edge.trainer.reproduce.course import Course, missing
from corrosion_edge.trainer.reproduce.crew import Crew
from corrosion_edge.trainer.reproduce.ledger import Ledger
from corrosion_edge.trainer.reproduce.paper import Method
from corrosion_edge.trainer.reproduce.plan import Selection
from corrosion_edge.trainer.reproduce.rows import MakeRunner, Row, Runner, Setup, Views
from corrosion_edge.trainer.reproduce.sizes import SizeOf

__all__ = ["LEDGER", "Planned", "Request", "load_photos", "plan", "run"]

LEDGER: Final = "ledger"
"""The folder of finished results in the folder of a reproduction."""

_SPLIT_SEED: Final = 1  # of a folder that comes unsplit


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


def run(request: Request, splits: Splits, by: MakeRunner | Crew, size_of: SizeOf) -> None:
    """Run what is not in the ledger yet, here or ``by`` a crew; finished seeds are kept at once.

    Ctrl-C and SIGTERM end it between or within seeds; what is finished stays. Rows without
    weights and trainings that fail are passed over; the ledger notes why. Raises UsageError if the
    ledger's results and these must not be mixed, OutputError.
    """
    setup = _setup(request, splits)
    with Ledger.open(request.ledger, _identity(request, splits)) as ledger, _stoppable():
        identities = {n: weights.identity(n, value) for n, value in setup.weights.items()}
        ledger.require_weights(identities)
        course = Course(request, ledger, identities)
        course.note(splits)
        try:
            course.measure_sizes(size_of)
            if isinstance(by, Crew):
                course.run_by(by, setup)
            else:
                with by(setup) as runner:
                    course.run_rows(runner)
        except KeyboardInterrupt:
            course.stopped()
        finally:
            course.note(splits)


def _planned(request: Request, ledger: Ledger | None, runner: Runner, row: Row) -> Planned:
    seeds = missing(request, ledger, row)
    return Planned(row, seeds, runner.predict(row, seeds) if seeds else 0.0)


def _identity(request: Request, splits: Splits) -> dict[str, Any]:
    """What results must share to stand beside each other."""
    data = splits.describe()
    size = request.method.image_size
    return {
        "versions": facts.decisive(),
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
