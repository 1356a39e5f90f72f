"""Loading TensorFlow and Keras without their notices on the user's terminal."""

import os

from corrosion_edge.quiet import quiet

__all__ = ["start_keras"]


def start_keras(threads: int | None = None) -> None:
    """Import TensorFlow and let it look for devices; ModuleNotFoundError without it.

    It uses as many ``threads``, if given (RuntimeError if it has begun to compute), else a core
    each.
    """
    # TensorFlow's optimiser warns of costs that it cannot estimate; its errors still show.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with quiet():
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
        if threads is not None:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        tf.config.list_logical_devices()
