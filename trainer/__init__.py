"""The trainer: from labelled photos to a measured Keras model. Runs on a workstation."""

__all__: list[str] = []
