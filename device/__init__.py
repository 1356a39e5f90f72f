"""The device room: cameras, interpreters, verdicts; it runs without TensorFlow."""

__all__: list[str] = []
