"""Loading TensorFlow and Keras without their notices on the user's terminal."""

import os

from corrosion_edge.quiet import quiet

__all__ = ["start_keras"]


def start_keras() -> None:
    """Import TensorFlow and let it look for devices; ModuleNotFoundError without it."""
    # TensorFlow's optimiser warns of costs that it cannot estimate; its errors still show.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with quiet():
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
        tf.config.list_logical_devices()
