"""One command's way through the rows: what is to do, who does it, what is kept of it."""

from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Final

import click

from corrosion_edge.trainer.load import Splits
from corrosion_edge.trainer.reproduce import facts
from corrosion_edge.trainer.reproduce.cells import Cell, Trained, Trainer
from corrosion_edge.trainer.reproduce.crew import Crew
from corrosion_edge.trainer.reproduce.ledger import Ledger
from corrosion_edge.trainer.reproduce.rows import Row, Runner, Setup
from corrosion_edge.trainer.reproduce.sizes import SizeOf

if TYPE_CHECKING:
    from corrosion_edge.trainer.reproduce.reproduce import Request

__all__ = ["Course", "missing"]

_STOPPED: Final = "the command was stopped before it was done"


class Course:
    """Fills a ledger; why a row was not run is noted there, by its key."""

    def __init__(self, request: "Request", ledger: Ledger, identities: Mapping[str, str]) -> None:
        self.request = request
        self.ledger = ledger
        self.identities = identities
        self.rows = request.selection.rows()
        self._reasons: dict[str, str] = {}
        self._without: set[str] = set()  # backbones without weights

    def note(self, splits: Splits) -> None:
        """Keep what the report says about the making."""
        notes = self.ledger.notes()
        machines = [*notes.get("machines", []), facts.machine()]
        reasons = notes.get("not_run", {}) | self._reasons
        done = {row.key for row in self.rows if not self._to_do(row)}
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
        """All rows, here; those of a backbone whose weights cannot be had are passed over."""
        trainer = Trainer(runner)
        for place, row in enumerate(self.rows, 1):
            if seeds := self._will_run(row):
                predicted = _minutes(runner.predict(row, seeds))
                left = sum(bool(self._will_run(other)) for other in self.rows[place:])
                at = f"[{place}/{len(self.rows)}]"
                _say(f"{at} {row.title}: {_count(len(seeds), 'seed')}, predicted {predicted}; "
                     f"{left} more row{'s' * (left != 1)} to run")  # fmt: skip
                self._run_row(trainer, row, at, predicted)

    def run_by(self, crew: Crew, setup: Setup) -> None:
        """All rows, by a crew, whichever is finished first."""
        cells = [Cell(row, seed) for row in self.rows for seed in self._to_do(row)]
        _say(f"{_count(len(cells), 'training')} to run")
        with closing(crew.trained(setup, cells)) as finished:
            for number, trained in enumerate(finished, 1):
                self._take(trained, f"[{number}/{len(cells)}] {trained.cell.title}")

    def stopped(self) -> None:
        """Every row that is not finished gets its reason."""
        _say("Stopped; the same command goes on from here.")
        for row in self.rows:
            if self._to_do(row):
                self._reasons.setdefault(row.key, _STOPPED)

    def _run_row(self, trainer: Trainer, row: Row, at: str, predicted: str) -> None:
        actual = 0.0
        for seed in self._to_do(row):
            trained = trainer(Cell(row, seed))
            self._take(trained, f"{at} seed {seed}")
            if trained.without_weights:
                return
            actual += trained.outcome.seconds if trained.outcome else 0.0
        _say(f"{at} took {_minutes(actual)}, predicted {predicted}")

    def _take(self, trained: Trained, name: str) -> None:
        """Keep an outcome, or why there is none."""
        row, seed = trained.cell.row, trained.cell.seed
        if trained.outcome is not None:
            self.ledger.add(trained.outcome, self.identities[row.backbone])
            _say(f"{name}: test accuracy {trained.outcome.test.accuracy:.4f}")
        elif trained.without_weights:
            self._pass_over(row.backbone, trained.reason)
        else:
            _say(f"{name}: failed: {trained.reason}")
            before = [self._reasons[row.key]] if row.key in self._reasons else []
            why = f"seed {seed} failed ({trained.reason})"
            self._reasons[row.key] = "; ".join([*before, why])

    def _pass_over(self, backbone: str, reason: str) -> None:
        """The reason for all its rows, once, with the option as it is called here."""
        if backbone in self._without:
            return
        self._without.add(backbone)
        reason = reason.replace("--weights FILE", f"--weights {backbone}=FILE")
        _say(f"{backbone}: {reason}")
        self._reasons |= {row.key: reason for row in self.rows if row.backbone == backbone}

    def _will_run(self, row: Row) -> tuple[int, ...]:
        return () if row.backbone in self._without else self._to_do(row)

    def _to_do(self, row: Row) -> tuple[int, ...]:
        return missing(self.request, self.ledger, row)


def missing(request: "Request", ledger: Ledger | None, row: Row) -> tuple[int, ...]:
    """The seeds of a row that are to be run."""
    numbers = request.seed_numbers
    if ledger is None:
        return numbers
    return tuple(seed for seed in numbers if not ledger.has(row, request.views, seed))


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f} min"


def _say(text: str) -> None:
    click.echo(text, err=True)
