"""Loading TensorFlow and Keras without their notices on the user's terminal."""

from corrosion_edge.quiet import quiet

__all__ = ["start_keras"]


def start_keras() -> None:
    """Import TensorFlow and let it look for devices; ModuleNotFoundError without it."""
    with quiet():
        import tensorflow as tf

        tf.config.list_logical_devices()
