"""Float Keras, called as it is or as a function of TensorFlow."""

from pathlib import Path
from typing import Any

import numpy as np

from corrosion_edge.benchmarks.peers.ways import Pixels
from corrosion_edge.benchmarks.peers.ways.scores import rgb, verdict
from corrosion_edge.trainer.keras_start import start_keras

__all__ = ["Compiled", "Way"]


class Way:
    """``model(x)``, as Keras advises for single pictures."""

    def __init__(self, model: Path, threads: int) -> None:
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        start_keras()
        import keras

        self._keras = keras
        self._model = keras.models.load_model(model, compile=False)
        self._call = self._model
        self._size = tuple(self._model.input_shape[1:3])
        self.runtime = f"keras {keras.__version__}, tensorflow {tf.__version__}"

    def given(self, pixels: Pixels) -> Any:
        """One picture as a batch of float32."""
        return np.expand_dims(pixels, 0).astype(np.float32)

    def invoke(self, given: Any) -> Any:
        """The scores as an array."""
        return self._call(given, training=False)["scores"].numpy()

    def score(self, output: Any) -> float:
        """Of corrosion."""
        return verdict(output)[1]

    def look(self, path: Path) -> tuple[str, float]:
        """Load with Keras's own scaling (nearest neighbour), call."""
        picture = self._keras.utils.load_img(path, target_size=self._size)
        return verdict(self.invoke(np.expand_dims(self._keras.utils.img_to_array(picture), 0)))

    def frame(self, picture: Any) -> tuple[str, float]:
        """To RGB, Keras's own scaling of arrays (bilinear, without antialiasing), call."""
        small = self._keras.ops.image.resize(rgb(picture), self._size)
        return verdict(self.invoke(self._keras.ops.expand_dims(small, 0)))


class Compiled(Way):
    """The same in ``tf.function``."""

    def __init__(self, model: Path, threads: int) -> None:
        super().__init__(model, threads)
        import tensorflow as tf

        self._call = tf.function(self._model)
        self.runtime += ", tf.function"
