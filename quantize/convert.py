"""From a Keras model to a full-integer TFLite flatbuffer, with TensorFlow's converter."""

import contextlib
import io
import logging
import tempfile
from collections.abc import Iterator

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from corrosion_edge.errors import BackendError
from corrosion_edge.progress import say
from corrosion_edge.quantize.flatbuffer import name_ends, problems
from corrosion_edge.quantize.names import meaningful_names
from corrosion_edge.quiet import quiet

__all__ = ["convert"]


def convert(deliverable: keras.Model, calibration: npt.NDArray[np.uint8]) -> bytes:
    """Convert a network for one picture; ``calibration`` is uint8 [n, h, w, 3].

    Weights and activations become int8, input and outputs uint8: pixels go in as they are, and
    tools that know only float and uint8 ends can run it. Raises BackendError if the converter
    fails or leaves anything that is not integer.
    """
    # The converter's own output is silenced, and with it any bar: say what is to be expected.
    say(f"Converting with {len(calibration)} calibration photos: about a minute")
    with tempfile.TemporaryDirectory(prefix="corrosion-edge-") as folder:
        with _silent():
            _export(deliverable, folder)
        model = _quantize(folder, calibration)
    outputs = [name for name in ("scores", "map") if name in deliverable.output]
    model = name_ends(model, {"image": "image"}, {name: name for name in outputs})
    model = meaningful_names(model)
    if found := problems(model):
        raise BackendError(f"the converter left something that is not integer: {found[0]}")
    return model


def _export(deliverable: keras.Model, folder: str) -> None:
    # Without an explicit specification Keras exports a free batch, and the converter then
    # surrounds every reshape with SHAPE, STRIDED_SLICE and PACK, which no Edge TPU has.
    ends = keras.InputSpec(shape=deliverable.input_shape, dtype="float32", name="image")
    deliverable.export(folder, format="tf_saved_model", verbose=False, input_signature=[ends])


def _quantize(folder: str, calibration: npt.NDArray[np.uint8]) -> bytes:
    converter = tf.lite.TFLiteConverter.from_saved_model(folder)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: _feed(calibration)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.uint8
    converter.inference_output_type = tf.uint8
    try:
        with _silent():
            return bytes(converter.convert())
    except Exception as error:  # the converter raises its own, RuntimeError and ValueError
        raise BackendError(f"TensorFlow's converter failed ({str(error)[:300]})") from None


def _feed(calibration: npt.NDArray[np.uint8]) -> Iterator[list[npt.NDArray[np.float32]]]:
    for picture in calibration:
        yield [picture[None].astype(np.float32)]


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
