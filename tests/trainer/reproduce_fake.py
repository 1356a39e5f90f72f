"""A runner that trains nothing and gives the same made-up outcomes each time.

``python reproduce_fake.py PAUSE WORDS...`` is the command ``reproduce`` with it, pausing for so
many seconds in every training.
"""

import hashlib
import os
import signal
import sys
import time
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from corrosion_edge.closing import Closing
from corrosion_edge.errors import WeightsError
from corrosion_edge.trainer.reproduce.cells import Trainer
from corrosion_edge.trainer.reproduce.paper import Size
from corrosion_edge.trainer.reproduce.rows import Figures, Outcome, Row, Setup, Views

WITHOUT_WEIGHTS = "efficientnetv2-l"
FAILING = ("efficientnetv2-m", 2)
DEADLY = ("efficientnetv2-b3", 1)
"""Ends its process; for trainings in processes of their own."""


class FakeRunner(Closing):
    """Obeys the seam: equal setups give equal outcomes; one backbone has no weights.

    One training fails, and one ends its process.
    """

    pause = 0.0
    stop_after: int | None = None

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.ran: list[tuple[str, int]] = []
        self.closed = False

    def predict(self, row: Row, seeds: tuple[int, ...]) -> float:
        return 60.0 * len(seeds)

    def run(self, row: Row, seed: int) -> Outcome:
        if row.backbone == WITHOUT_WEIGHTS:
            raise WeightsError(
                f"the ImageNet weights of {row.backbone} cannot be downloaded; run "
                "corrosion-edge weights import FILE, or name a file with --weights FILE.npz"
            )
        if self.stop_after is not None and len(self.ran) >= self.stop_after:
            raise KeyboardInterrupt
        if (row.backbone, seed) == FAILING:
            raise ArithmeticError("the loss is not finite")
        if (row.backbone, seed) == DEADLY:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(self.pause)
        self.ran.append((row.key, seed))
        samples = self.setup.splits.samples
        held_out, test = samples["validation"].labels, samples["test"].labels
        return made_up(row, seed, self.setup.views, test, held_out)

    def close(self) -> None:
        self.closed = True


def fake_trainer(pause: float, setup: Setup, threads: int) -> Trainer:
    """For crews."""
    FakeRunner.pause = pause
    return Trainer(FakeRunner(setup))


def made_up(
    row: Row,
    seed: int,
    views: Views,
    labels: npt.NDArray[np.int64],
    held_out: npt.NDArray[np.int64],
    strength: float = 1.35,
) -> Outcome:
    """An outcome that depends on its arguments alone; nothing was trained for it."""
    words = f"{row.key} {seed} {views}".encode()
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(words).digest()[:8], "big"))
    # Which photos are hard is the same for all, so that seeds fail on the same ones.
    hard = np.random.default_rng(0).normal(size=len(labels))
    scores = _scores(labels, 0.9 * hard + 0.35 * rng.normal(size=len(labels)), strength)
    others = _scores(held_out, rng.normal(size=len(held_out)), strength)
    epochs = 50
    fall = np.exp(-np.arange(epochs) / 12) * 0.35 + 0.3
    history = tuple(
        {
            "epoch": float(i + 1),
            "train_loss": float(x + 0.01 * rng.normal()),
            "train_accuracy": float(1.2 - x + 0.01 * rng.normal()),
            "validation_loss": float(x + 0.03 + 0.01 * rng.normal()),
            "validation_accuracy": float(1.18 - x + 0.01 * rng.normal()),
        }
        for i, x in enumerate(fall)
    )
    return Outcome(
        row=row,
        seed=seed,
        views=views,
        test=Figures.of(labels, scores),
        validation=Figures.of(held_out, others),
        history=history,
        scores=tuple(scores.tolist()),
        labels=tuple(labels.tolist()),
        seconds=90.0,
        origin="MADE UP by a fake runner: no network was trained",
    )


def _scores(
    labels: npt.NDArray[np.int64], noise: npt.NDArray[np.float64], strength: float
) -> npt.NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-2 * (strength * (2 * labels - 1) + noise))))


def measured(backbone: str, image_size: int) -> Size:
    """Made-up sizes for Table 1."""
    return Size(len(backbone), 1.0)


def install(setitem: Any, setattr_: Any) -> None:
    """Put the fake where the command takes its runner from, and keep TensorFlow out."""
    from corrosion_edge.trainer.reproduce import cli, crew, sizes

    module = ModuleType("corrosion_edge.trainer.reproduce.runner")
    module.SharedRunner = FakeRunner  # type: ignore[attr-defined]
    setitem(sys.modules, module.__name__, module)
    setattr_(crew, "shared_trainer", partial(fake_trainer, FakeRunner.pause))
    setattr_(cli, "start_keras", lambda: None)
    setattr_(sizes, "measure", measured)


if __name__ == "__main__":
    FakeRunner.pause = float(sys.argv.pop(1))
    install(dict.__setitem__, setattr)
    from corrosion_edge.trainer.reproduce.cli import reproduce

    reproduce(prog_name="reproduce")
