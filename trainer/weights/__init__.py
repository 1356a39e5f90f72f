"""Weights that networks start from: where they come from, how they are read, kept and checked."""

__all__: list[str] = []
