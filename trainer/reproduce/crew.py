"""Several who train cells at the same time: processes of this machine, or a Ray cluster."""

import socket
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import sched_getaffinity
from pathlib import Path
from typing import TYPE_CHECKING

from corrosion_edge.errors import UsageError
from corrosion_edge.parallel.finished import Finished
from corrosion_edge.trainer.reproduce import facts
from corrosion_edge.trainer.reproduce.cells import Cell, MakeTrainer, Trained, Trainer, blame
from corrosion_edge.trainer.reproduce.rows import Setup

if TYPE_CHECKING:
    from corrosion_edge.parallel.workers import Workers

__all__ = ["Crew", "shared_trainer"]


def shared_trainer(setup: Setup, threads: int) -> Trainer:
    """The real one; TensorFlow is started here, and draws no bars."""
    from corrosion_edge.progress import hush
    from corrosion_edge.trainer.keras_start import start_keras

    hush()
    start_keras(threads)
    from corrosion_edge.trainer.reproduce.runner import SharedRunner

    return Trainer(SharedRunner(setup))


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """``workers`` processes, or with ``ray``, a cluster's address, actors there.

    None is one for each core of the cluster. A process uses its part of this machine's cores
    whether or not there is work for all of them, so that a cell that is left trains like the
    others; an actor has one core.
    """

    workers: int | None
    ray: str | None
    make_trainer: MakeTrainer

    @property
    def threads(self) -> int:
        """Threads of each."""
        if self.ray or not self.workers:
            return 1
        return max(1, len(sched_getaffinity(0)) // self.workers)

    def trained(self, setup: Setup, cells: Sequence[Cell]) -> Generator[Trained]:
        """What becomes of each cell, as soon as it is known.

        Raises what ``Trainer`` does, and UsageError for a cluster that cannot be reached, is too
        small, or has other versions installed.
        """
        if not cells:
            return
        opening = _Opening(self.make_trainer, _anywhere(setup), self.threads)
        with self._workers(opening, len(cells)) as workers:
            yield from Finished(workers, cells, blame=blame, kind=lambda cell: cell.row.backbone)

    def _workers(self, opening: "_Opening", most: int) -> "Workers[Cell, Trained]":
        if self.ray:
            from corrosion_edge.parallel.cluster import Actors

            return Actors(self.ray, self.workers, opening)
        from corrosion_edge.parallel.processes import Processes

        return Processes(min(self.workers or 1, most), opening)


@dataclass(frozen=True, slots=True)
class _Opening:
    make_trainer: MakeTrainer
    setup: Setup
    threads: int
    versions: Mapping[str, str] = field(default_factory=facts.decisive)

    def __call__(self) -> Callable[[Cell], Trained]:
        for name, here in facts.decisive().items():
            if here != self.versions[name]:
                raise UsageError(
                    f"--ray: {socket.gethostname()} has {name} {here}, and this command "
                    f"{self.versions[name]}; install the same on all nodes"
                )
        return self.make_trainer(self.setup, self.threads)


def _anywhere(setup: Setup) -> Setup:
    """With whole paths, whatever folder a worker begins in."""
    weights = {
        name: value if value in ("imagenet", "none") else str(Path(value).absolute())
        for name, value in setup.weights.items()
    }
    return replace(setup, weights=weights, scratch=setup.scratch.absolute())
