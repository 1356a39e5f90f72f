"""One training of the grid of rows and seeds, and what became of it, whoever does it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from corrosion_edge.errors import OutputError, UsageError, WeightsError
from corrosion_edge.trainer.reproduce.rows import Outcome, Row, Runner, Setup

__all__ = ["Cell", "MakeTrainer", "Trained", "Trainer", "blame"]

_LONGEST: Final = 300  # characters of a reason; TensorFlow's can fill pages


@dataclass(frozen=True, slots=True)
class Cell:
    """A row and a seed."""

    row: Row
    seed: int

    @property
    def title(self) -> str:
        """For people: ``EfficientNetV2B0, average pooling, 20 % fine-tuned, seed 3``."""
        return f"{self.row.title}, seed {self.seed}"


@dataclass(frozen=True, slots=True)
class Trained:
    """A cell's outcome, or the reason why it has none.

    ``without_weights`` says that no cell of this backbone can have one.
    """

    cell: Cell
    outcome: Outcome | None = None
    reason: str = ""
    without_weights: bool = False


class Trainer:
    """Trains one cell after another; what fails gives its reason in place of an outcome.

    Raised are OutputError and UsageError, of a disk or a cache that is full: they are everybody's.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._without: dict[str, str] = {}  # backbones whose weights are not asked for again

    def __call__(self, cell: Cell) -> Trained:
        """Train one cell."""
        if cell.row.backbone in self._without:
            return self._unable(cell)
        try:
            return Trained(cell, self._runner.run(cell.row, cell.seed))
        except WeightsError as error:
            self._without[cell.row.backbone] = str(error)
            return self._unable(cell)
        except (OutputError, UsageError):
            raise
        # Whatever a training may raise (no memory, no finite loss), the next one may do well.
        except Exception as error:
            return Trained(cell, reason=_reason(error))

    def _unable(self, cell: Cell) -> Trained:
        return Trained(cell, reason=self._without[cell.row.backbone], without_weights=True)


MakeTrainer = Callable[[Setup, int], Callable[[Cell], Trained]]
"""Makes what trains with so many threads, in a process that does nothing else; pickles."""


def blame(cell: Cell) -> Trained:
    """What became of a cell that ended each process which tried it."""
    return Trained(cell, reason="it ended the process that trained it, twice while no other was "
                   "trained; it may need more memory than there is")  # fmt: skip


def _reason(error: Exception) -> str:
    words = " ".join(f"{type(error).__name__}: {error}".split())
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"
