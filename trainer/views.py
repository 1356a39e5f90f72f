"""Random views of photos that come out the same in any process: augmentation by number."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal, get_args

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

__all__ = ["BATCH", "Augmentation", "Views"]

BATCH: Final = 32
"""Photos that are changed at once; a view depends on its photo's place in the batch."""

Flip = Literal["none", "horizontal", "horizontal_and_vertical"]
Change = Callable[[Any, Any, Any], Any]

_UPPER: Final = {"rotation": 1.0, "contrast": 1.0, "brightness": 1.0, "translation": 1.0,
                 "zoom": 0.95, "hue": 0.5, "hue_clean": 0.5, "saturation": 1.0,
                 "grey": 1.0}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """How much a view may differ from its photo; 0 switches a change off.

    First comes ``zoom``: a random crop whose sides are 1 - zoom to 1 of the photo's. Then, after
    ``flip``, ``rotation`` (fraction of a full turn, either way), ``contrast``, ``brightness`` and
    ``translation`` (fractions, either way) are those of Keras's Random* layers, in this order.
    Last come ``hue`` (fraction of a turn of the colour circle, either way), ``hue_clean`` (a
    further such turn for photos of class 0 alone, so that red and orange things without rust
    exist), ``saturation`` (fraction, either way) and ``grey`` (the probability that a photo loses
    its colour). Raises ValueError for a value out of range.
    """

    flip: Flip = "none"
    rotation: float = 0.0
    contrast: float = 0.0
    brightness: float = 0.0
    translation: float = 0.0
    zoom: float = 0.0
    hue: float = 0.0
    hue_clean: float = 0.0
    saturation: float = 0.0
    grey: float = 0.0

    def __post_init__(self) -> None:
        if self.flip not in get_args(Flip):
            raise ValueError(f"flip: expected one of {get_args(Flip)}, got {self.flip!r}")
        for name, upper in _UPPER.items():
            if not 0 <= getattr(self, name) <= upper:
                raise ValueError(f"{name}: expected 0 to {upper}, got {getattr(self, name)}")

    def to_dict(self) -> dict[str, Any]:
        """Plain values by name."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "Augmentation":
        """The inverse of ``to_dict``; what is missing is off (ValueError for another name)."""
        if unknown := sorted(set(value) - {field.name for field in fields(cls)}):
            raise ValueError(f"augmentation: {unknown[0]!r} is unknown")
        return cls(**value)


class Views:
    """Makes view 0, 1, 2, ... of every photo.

    A view is a function of the augmentation, the seed, its number, and of the photos in their
    order: it does not depend on the process or on what was made before. With ``size`` views have
    that height and width, whatever the photos' own; 0 keeps theirs.
    """

    def __init__(self, augmentation: Augmentation, seed: int, size: int = 0) -> None:
        self.augmentation = augmentation
        self.seed = seed
        self.size = size
        self._layers = _layers(augmentation)
        changes = [_of_layer(layer) for layer in self._layers] + _colours(augmentation)
        if augmentation.zoom or size:
            changes.insert(0, _zoom(augmentation.zoom, size))
        self._seeds = len(changes)
        self._change = tf.function(_in_turn(changes))

    def make(
        self, pixels: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64], number: int
    ) -> Iterator[npt.NDArray[np.float32]]:
        """Yield view ``number`` of RGB ``pixels`` [n, h, w, 3] in batches of up to ``BATCH``.

        ``labels`` [n] are 1 for corrosion, 0 for none. Batches are float32 in 0..255, in the
        photos' order. Without augmentation and size every view is the photo itself.
        """
        change = self._compiled(pixels.shape[1:])
        for batch, start in enumerate(range(0, len(pixels), BATCH)):
            chosen = slice(start, start + BATCH)
            seeds = _seeds(self._seeds, self.seed, number, batch)
            clean = (labels[chosen] == 0).astype(np.float32)
            yield np.asarray(change(*map(tf.constant, (pixels[chosen], clean, seeds))))

    def _compiled(self, shape: tuple[int, ...]) -> Change:
        """One graph for full and last batches, so that no view depends on which came first."""
        change: Change = self._change.get_concrete_function(
            tf.TensorSpec((None, *shape), tf.uint8),
            tf.TensorSpec((None,), tf.float32),
            tf.TensorSpec((self._seeds, 2), tf.int64),
        )
        return change


def _seeds(count: int, *path: int) -> npt.NDArray[np.int64]:
    """Seeds [count, 2] for TensorFlow's stateless generators, one for each change."""
    words = np.random.SeedSequence(path).generate_state(2 * count)
    return (words >> 1).astype(np.int64).reshape(count, 2) % (2**31 - 2)


def _in_turn(changes: list[Change]) -> Change:
    def change(pixels: Any, clean: Any, seeds: Any) -> Any:
        x = tf.cast(pixels, tf.float32)
        for place, step in enumerate(changes):
            x = step(x, clean, seeds[place])
        return x

    return change


def _layers(a: Augmentation) -> list[keras.layers.Layer]:
    layers = keras.layers
    chosen = {
        "rotation": lambda: layers.RandomRotation(a.rotation),
        "contrast": lambda: layers.RandomContrast(a.contrast),
        "brightness": lambda: layers.RandomBrightness(a.brightness),
        "translation": lambda: layers.RandomTranslation(a.translation, a.translation),
    }
    flips = [] if a.flip == "none" else [layers.RandomFlip(a.flip)]
    return flips + [make() for name, make in chosen.items() if getattr(a, name)]


def _of_layer(layer: keras.layers.Layer) -> Change:
    def change(x: Any, _clean: Any, seed: Any) -> Any:
        layer.generator.state.assign(seed)
        return layer(x, training=True)

    return change


def _zoom(zoom: float, size: int) -> Change:
    """A crop of the photo's own shape at a random place, scaled bilinearly, not antialiased."""

    def change(x: Any, _clean: Any, seed: Any) -> Any:
        n, wanted = tf.shape(x)[0], [size, size] if size else x.shape[1:3]
        draws = _uniform((n, 3), seed)
        side = 1 - zoom * draws[:, 0]
        corner = draws[:, 1:] * (1 - side[:, None])
        boxes = tf.concat([corner, corner + side[:, None]], axis=1)
        return tf.image.crop_and_resize(x, boxes, tf.range(n), wanted)

    return change


def _colours(a: Augmentation) -> list[Change]:
    """Hue, saturation and grey. Keras's own layers would convert to HSV and back for each."""

    def turn(x: Any, clean: Any, seed: Any) -> Any:
        draws = _uniform((tf.shape(x)[0], 3), seed, -1.0)
        hue = a.hue * draws[:, 0] + a.hue_clean * clean * draws[:, 1]
        factors = 1 + a.saturation * draws[:, 2]
        h, s, v = tf.unstack(tf.image.rgb_to_hsv(x / 255), axis=-1)
        h = tf.math.floormod(h + hue[:, None, None], 1.0)
        s = tf.minimum(s * factors[:, None, None], 1.0)
        return tf.clip_by_value(255 * tf.image.hsv_to_rgb(tf.stack([h, s, v], -1)), 0.0, 255.0)

    def grey(x: Any, _clean: Any, seed: Any) -> Any:
        chosen = _uniform((tf.shape(x)[0], 1, 1, 1), seed) < a.grey
        return tf.where(chosen, tf.image.rgb_to_grayscale(x), x)

    turns = [turn] if a.hue or a.hue_clean or a.saturation else []
    return turns + ([grey] if a.grey else [])


def _uniform(shape: Any, seed: Any, low: float = 0.0) -> Any:
    return tf.random.stateless_uniform(shape, tf.cast(seed, tf.int32), low, 1.0)
