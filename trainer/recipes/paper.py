"""The method of Zhao et al., Heliyon 2024, 10(17), e36754, section by section.

Command: ``corrosion-edge train DATA --out RUN --recipe paper``. Augmentation (flips, rotation,
contrast, brightness, translation; the paper gives no magnitudes), frozen backbone with
ImageNet weights, global pooling, dropout 0.2, one logistic unit; 25 epochs of the head at 1e-4,
then 25 with the top 20 % of the backbone's layers at 1e-5; batch 32. Batch normalisation stays
in inference mode. The paper names no optimiser; Adam is used. The weights are those of the last
epoch: nothing is chosen.
"""

from typing import Any, Final

import keras

from corrosion_edge.trainer.model import Parts, assemble
from corrosion_edge.trainer.recipes import Fitted, Options, Task
from corrosion_edge.trainer.training import compile_and_train

__all__ = ["AUGMENTATION", "augmentation", "fit", "thaw_top"]

AUGMENTATION: Final[dict[str, float]] = {
    "rotation": 0.2,  # of a full turn, either way
    "contrast": 0.2,
    "brightness": 0.2,
    "translation": 0.1,  # of height and of width
}

_EPOCHS = (25, 25)
_FINE_TUNE = 0.2
_HEAD_RATE, _TOP_RATE = 1e-4, 1e-5


def fit(task: Task) -> Fitted:
    """Train the head, then head and top layers."""
    epochs = task.options.epochs or _EPOCHS
    parts = assemble(task.backbone, task.options.pooling)
    views = augmentation(task.options.seed)
    parts.backbone.trainable = False
    history = compile_and_train(parts, task, views, epochs=epochs[0], rate=_HEAD_RATE)
    if len(epochs) > 1 and epochs[1]:
        thaw_top(parts, task.options.fine_tune or _FINE_TUNE)
        history += compile_and_train(
            parts, task, views, epochs=epochs[1], rate=_TOP_RATE, first=len(history)
        )
    return Fitted(model=parts.model, history=history, settings=_settings(task.options, epochs))


def augmentation(seed: int) -> keras.Sequential:
    """The paper's five random changes of a picture [n, h, w, 3], 0..255."""
    size = AUGMENTATION
    return keras.Sequential(
        [
            keras.layers.RandomFlip("horizontal_and_vertical", seed=seed),
            keras.layers.RandomRotation(size["rotation"], seed=seed + 1),
            keras.layers.RandomContrast(size["contrast"], seed=seed + 2),
            keras.layers.RandomBrightness(size["brightness"], seed=seed + 3),
            keras.layers.RandomTranslation(size["translation"], size["translation"], seed=seed + 4),
        ],
        name="augmentation",
    )


def thaw_top(parts: Parts, fraction: float) -> int:
    """Make the top ``fraction`` of the backbone's layers trainable; returns how many that are."""
    layers = parts.backbone.layers
    count = round(fraction * len(layers))
    parts.backbone.trainable = True
    for layer in layers[: len(layers) - count]:
        layer.trainable = False
    return count


def _settings(options: Options, epochs: tuple[int, ...]) -> dict[str, Any]:
    return {
        "epochs": list(epochs),
        "fine_tune": options.fine_tune or _FINE_TUNE,
        "learning_rates": [_HEAD_RATE, _TOP_RATE],
        "augmentation": AUGMENTATION,
        "optimizer": "adam",
    }
