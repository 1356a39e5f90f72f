"""Training a small network from random weights.

Command: ``corrosion-edge train DATA --out RUN --recipe scratch --backbone tiny --weights none
--image-size 96``. For trials where no ImageNet weights are at hand, as in ``make demo``; cost on
400 pictures of 96 x 96: well under a minute. Flips and light changes as augmentation, Adam with
a cosine decay from 3e-3, batch normalisation learns. The weights are those of the last epoch.
"""

from typing import Final

import keras

from corrosion_edge.trainer.model import assemble
from corrosion_edge.trainer.recipes import Fitted, Task
from corrosion_edge.trainer.training import BATCH, compile_and_train

__all__ = ["fit"]

_EPOCHS: Final = 30
_RATE: Final = 3e-3


def fit(task: Task) -> Fitted:
    """Train everything at once."""
    task.options.refuse("scratch", "fine_tune")
    epochs = task.options.epochs[0] if task.options.epochs else _EPOCHS
    parts = assemble(task.backbone, task.options.pooling, batch_norm_learns=True)
    steps = max(1, epochs * -(-len(task.train) // BATCH))
    rate = keras.optimizers.schedules.CosineDecay(_RATE, steps)
    history = compile_and_train(parts, task, _views(task.options.seed), epochs=epochs, rate=rate)
    return Fitted(
        model=parts.model, history=history, settings={"epochs": [epochs], "learning_rate": _RATE}
    )


def _views(seed: int) -> keras.Sequential:
    return keras.Sequential(
        [
            keras.layers.RandomFlip("horizontal_and_vertical", seed=seed),
            keras.layers.RandomBrightness(0.1, seed=seed + 1),
        ],
        name="augmentation",
    )
