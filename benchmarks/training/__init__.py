"""Timing training: the engine that shares what is frozen, against a plain Keras script."""

__all__: list[str] = []
