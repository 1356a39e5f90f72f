"""TensorFlow's conversions to other precisions than int8, with ends that our tools read.

https://ai.google.dev/edge/litert/conversion/tensorflow/quantization/post_training_quantization
"""

from collections.abc import Callable
from typing import Any, Final

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from corrosion_edge.errors import BackendError
from corrosion_edge.progress import say
from corrosion_edge.quantize.convert import converted, exported, feed, with_named_ends
from corrosion_edge.quantize.names import meaningful_names
from corrosion_edge.quantize.precision.ends import pixels_in
from corrosion_edge.quantize.precision.kinds import require_kinds

__all__ = ["as_precision"]

Pictures = npt.NDArray[np.uint8]


def as_precision(deliverable: keras.Model, precision: str, calibration: Pictures) -> bytes:
    """A network in another precision than int8, finished: uint8 in, float32 out.

    ``calibration``, uint8 [n, h, w, 3], is for int16x8 alone: the others round without photos.
    BackendError, with the precision and the reason, if the converter fails or leaves something
    that is not of this precision.
    """
    prepare = _PREPARED[precision]
    say(f"Converting to {precision}")
    try:
        with exported(deliverable) as folder:
            converter = tf.lite.TFLiteConverter.from_saved_model(folder)
            prepare(converter, calibration)
            model = with_named_ends(converted(converter), deliverable)
        require_kinds(model, precision)
    except BackendError as error:
        raise BackendError(f"{precision} cannot be made of this network: {error}") from None
    return meaningful_names(pixels_in(model))


def _float32(converter: Any, calibration: Pictures) -> None:
    """Nothing is rounded: the converter's own default."""


def _float16(converter: Any, calibration: Pictures) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]


def _dynamic(converter: Any, calibration: Pictures) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]


def _int16x8(converter: Any, calibration: Pictures) -> None:
    """Ends of 16 bits are not needed: without them the converter puts QUANTIZE and DEQUANTIZE."""
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: feed(calibration)
    converter.target_spec.supported_ops = [
        tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    ]


_PREPARED: Final[dict[str, Callable[[Any, Pictures], None]]] = {
    "float32": _float32, "float16": _float16, "dynamic": _dynamic, "int16x8": _int16x8,
}  # fmt: skip
