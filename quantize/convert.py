"""From a Keras model to a full-integer TFLite flatbuffer, with TensorFlow's converter."""

import contextlib
import io
import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from corrosion_edge.errors import BackendError
from corrosion_edge.progress import say
from corrosion_edge.quantize.flatbuffer import name_ends, problems
from corrosion_edge.quantize.names import meaningful_names
from corrosion_edge.quiet import quiet

__all__ = [
    "Conversions",
    "conversions",
    "convert",
    "converted",
    "exported",
    "feed",
    "finished",
    "float_conversion",
    "with_named_ends",
]


@dataclass(frozen=True, slots=True)
class Conversions:
    """One network in float and in full int8, as flatbuffers with the same operators."""

    float_model: bytes
    integer: bytes


def convert(deliverable: keras.Model, calibration: npt.NDArray[np.uint8]) -> bytes:
    """The plain int8 conversion, finished; see ``conversions`` and ``finished``."""
    return finished(conversions(deliverable, calibration).integer)


def conversions(deliverable: keras.Model, calibration: npt.NDArray[np.uint8]) -> Conversions:
    """Convert a network for one picture both ways; ``calibration`` is uint8 [n, h, w, 3].

    In the int8 one weights and activations are int8, input and outputs uint8: pixels go in as
    they are, and tools that know only float and uint8 ends can run it. Raises BackendError if
    the converter fails.
    """
    # The converter's own output is silenced, and with it any bar: say what is to be expected.
    say(f"Converting with {len(calibration)} calibration photos: about a minute")
    with exported(deliverable) as folder:
        made = converted(_converter(folder)), converted(_integer(folder, calibration))
    return Conversions(*(with_named_ends(model, deliverable) for model in made))


def float_conversion(deliverable: keras.Model) -> bytes:
    """The float flatbuffer alone, as in ``conversions`` (BackendError if the converter fails)."""
    say("Converting in float: half a minute")
    with exported(deliverable) as folder:
        return with_named_ends(converted(_converter(folder)), deliverable)


def finished(model: bytes) -> bytes:
    """An int8 flatbuffer with names for people (BackendError if anything in it is not integer)."""
    if found := problems(model):
        raise BackendError(f"the converter left something that is not integer: {found[0]}")
    return meaningful_names(model)


@contextlib.contextmanager
def exported(deliverable: keras.Model) -> Iterator[str]:
    """A temporary folder with the network as TensorFlow's converter reads it."""
    with tempfile.TemporaryDirectory(prefix="corrosion-edge-") as folder:
        with _silent():
            _export(deliverable, folder)
        yield folder


def converted(converter: Any) -> bytes:
    """What a converter makes, its notices silenced (BackendError if it fails)."""
    try:
        with _silent():
            return bytes(converter.convert())
    except Exception as error:  # the converter raises its own, RuntimeError and ValueError
        raise BackendError(f"TensorFlow's converter failed ({str(error)[:300]})") from None


def with_named_ends(model: bytes, deliverable: keras.Model) -> bytes:
    """A converted network whose input and outputs are called as the signature calls them."""
    outputs = {name: name for name in ("scores", "map") if name in deliverable.output}
    return name_ends(model, {"image": "image"}, outputs)


def feed(calibration: npt.NDArray[np.uint8]) -> Iterator[list[npt.NDArray[np.float32]]]:
    """Pictures, uint8 [n, h, w, 3], as the converter takes them: float32 [1, h, w, 3] each."""
    for picture in calibration:
        yield [picture[None].astype(np.float32)]


def _export(deliverable: keras.Model, folder: str) -> None:
    # Without an explicit specification Keras exports a free batch, and the converter then
    # surrounds every reshape with SHAPE, STRIDED_SLICE and PACK, which no Edge TPU has.
    ends = keras.InputSpec(shape=deliverable.input_shape, dtype="float32", name="image")
    deliverable.export(folder, format="tf_saved_model", verbose=False, input_signature=[ends])


def _converter(folder: str) -> Any:
    return tf.lite.TFLiteConverter.from_saved_model(folder)


def _integer(folder: str, calibration: npt.NDArray[np.uint8]) -> Any:
    converter = _converter(folder)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: feed(calibration)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.uint8
    converter.inference_output_type = tf.uint8
    return converter


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Without the converter's notices: it prints, logs, and writes to the descriptor."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with quiet(), contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)
