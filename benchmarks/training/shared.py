"""How much the shared engine saves: ``python -m corrosion_edge.benchmarks.training.shared``.

Runs the paper's Table 2 and Table 3 rows of EfficientNetV2B0 through the shared engine, with all
seeds, and through a script in plain Keras with one seed, whose time counts as often as there are
seeds. Prints seconds and their ratio as measured here, and for the paper's epochs and 1202
photos, computed from the seconds of one epoch and of one pass; checks that both ways end with
like losses. Each table starts with nothing stored. The machine should have nothing else to do: a
load above the number of cores means that it had.
"""

import os
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

import click

from corrosion_edge.cli import Command
from corrosion_edge.errors import GateError
from corrosion_edge.trainer.keras_start import start_keras

if TYPE_CHECKING:
    from corrosion_edge.benchmarks.training.scale import Cost
    from corrosion_edge.trainer.reproduce.rows import Row, Setup

__all__ = ["Compared", "main"]

BACKBONE: Final = "efficientnetv2-b0"

RATES: Final = (1e-3, 1e-4)
"""Ten times the paper's, so that the loss falls in few epochs."""

FULL: Final = (1202, 50)
"""Training photos at hand of the paper's 1273, and its epochs: full scale."""

NEAR: Final = 0.1
"""How far, in nats, plain Keras's loss may lie outside those of the shared engine's seeds.

Or as far as these lie apart, if that is more: random heads start with unlike losses.
"""


@dataclass(frozen=True, slots=True)
class Compared:
    """A table: seconds in plain Keras and shared, as measured and at full scale.

    ``losses`` has, for each row, the validation loss at the end in plain Keras and of each seed
    of the shared engine.
    """

    title: str
    measured: tuple[float, float]
    full: tuple[float, float]
    losses: tuple[tuple[float, tuple[float, ...]], ...]

    def lines(self) -> list[str]:
        """For people."""
        text = [
            f"{self.title}, {name}: plain Keras {plain:.0f} s, shared {shared:.0f} s: "
            f"{plain / shared:.1f} times as fast"
            for name, (plain, shared) in (
                ("measured", self.measured),
                (f"computed for {FULL[0]} photos, {FULL[1]} epochs", self.full),
            )
        ]
        losses = [
            f"{self.title}, row {number}, final loss: plain Keras {plain:.3f}, "
            f"shared {min(shared):.3f} to {max(shared):.3f}"
            for number, (plain, shared) in enumerate(self.losses, start=1)
        ]
        return text + losses

    @property
    def alike(self) -> bool:
        """Whether plain Keras's losses lie within or near those of the shared engine."""
        return all(_near(plain, shared) for plain, shared in self.losses)


def _near(loss: float, others: tuple[float, ...]) -> bool:
    margin = max(NEAR, max(others) - min(others))
    return min(others) - margin <= loss <= max(others) + margin


@click.command(cls=Command)
@click.option("--photos", default=160, show_default=True, type=click.IntRange(32, 2000),
              help="Training photos.")  # fmt: skip
@click.option("--epochs", default=4, show_default=True, type=click.IntRange(4, 50),
              help="Epochs of Table 2; half of them for either part of Table 3.")  # fmt: skip
@click.option("--seeds", default=5, show_default=True, type=click.IntRange(2, 9))
@click.option("--weights", default="none", show_default=True, metavar="none|imagenet|FILE.npz")
@click.option("--data", type=click.Path(path_type=Path), metavar="DIR",
              help="Photos, as for train (default: rendered).")  # fmt: skip
@click.option("--tables", default="2,3", show_default=True, type=click.Choice(["2", "3", "2,3"]))
def main(
    photos: int, epochs: int, seeds: int, weights: str, data: Path | None, tables: str
) -> None:
    """Compare the shared engine with plain Keras on this machine."""
    start_keras()
    with tempfile.TemporaryDirectory() as folder:
        setup = _setup(Path(folder), photos, epochs, seeds, weights, data)
        compared = [_compare(int(table), setup) for table in tables.split(",")]
    click.echo(f"Load of the last 15 minutes: {os.getloadavg()[2]:.1f} on {os.cpu_count()} cores")
    for table in compared:
        click.echo("\n".join(table.lines()))
    if not all(table.alike for table in compared):
        raise GateError("plain Keras and the shared engine end with different losses")


def _setup(
    folder: Path, photos: int, epochs: int, seeds: int, weights: str, data: Path | None
) -> "Setup":
    from corrosion_edge.benchmarks.training.photos import photos_of, rendered
    from corrosion_edge.trainer.reproduce.paper import Method
    from corrosion_edge.trainer.reproduce.rows import Setup

    half = epochs // 2
    method = Method(frozen_epochs=epochs, fine_tune_epochs=(half, half), rates=RATES)
    return Setup(
        splits=photos_of(data or rendered(folder / "set", photos), photos, method.image_size),
        method=method,
        weights={BACKBONE: weights},
        views="shared",
        seeds=tuple(range(1, seeds + 1)),
        scratch=folder / "scratch",
    )


def _compare(table: int, setup: "Setup") -> Compared:
    from corrosion_edge.trainer.reproduce.paper import RATIOS
    from corrosion_edge.trainer.reproduce.rows import Row

    if table == 2:
        rows = [Row(2, BACKBONE, "avg"), Row(2, BACKBONE, "max")]
    else:
        rows = [Row(3, BACKBONE, "avg", ratio) for ratio in RATIOS]
    shared, shared_losses = _shared(rows, replace(setup, scratch=setup.scratch / str(table)))
    plain, plain_losses = _plain(rows, setup)
    photos = FULL[0] / len(setup.splits.samples["train"])
    epochs = FULL[1] / setup.method.frozen_epochs
    times = len(setup.seeds)
    costs = [plain, shared], [[c.scaled(photos, epochs) for c in part] for part in (plain, shared)]
    measured, full = (
        (times * sum(c.seconds for c in ours), sum(c.seconds for c in theirs))
        for ours, theirs in costs
    )
    losses = tuple(zip(plain_losses, shared_losses, strict=True))
    return Compared(f"Table {table}", measured, full, losses)


def _shared(rows: "list[Row]", setup: "Setup") -> "tuple[list[Cost], list[tuple[float, ...]]]":
    """The cost of each row with all seeds, and the final validation losses of these."""
    from corrosion_edge.benchmarks.training.scale import Cost
    from corrosion_edge.trainer.reproduce.runner import SharedRunner

    costs, losses = [], []
    with SharedRunner(setup) as runner:
        for row in rows:
            before = len(runner.passes)
            times, ends = [], []
            for seed in setup.seeds:
                started = time.monotonic()
                ends.append(runner.run(row, seed).validation.loss)
                times.append(time.monotonic() - started)
            losses.append(tuple(ends))
            each = median(times[1:]) / setup.method.frozen_epochs
            epochs = [each] * (setup.method.frozen_epochs * len(times))
            costs.append(Cost.of(sum(times), [runner.passes[before:], epochs]))
            click.echo(f"shared, {row.title}: {sum(times):.1f} s", err=True)
    return costs, losses


def _plain(rows: "list[Row]", setup: "Setup") -> "tuple[list[Cost], list[float]]":
    """The cost of each row with one seed, and the final validation losses."""
    import keras

    from corrosion_edge.benchmarks.training.plain import train
    from corrosion_edge.benchmarks.training.scale import Cost

    costs, losses = [], []
    for row in rows:
        samples = setup.splits.samples
        done = train(
            samples["train"], samples["validation"], setup.method, backbone=BACKBONE,
            weights=setup.weights[BACKBONE], pooling=row.pooling, fine_tune=row.fine_tune, seed=1,
        )  # fmt: skip
        keras.backend.clear_session()
        costs.append(Cost.of(done.seconds, done.epochs))
        losses.append(done.loss)
        click.echo(f"plain Keras, {row.title}, one seed: {done.seconds:.1f} s", err=True)
    return costs, losses


if __name__ == "__main__":
    main()
