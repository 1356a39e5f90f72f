"""How near a model comes to what the machine can do: ``python -m …benchmarks.roofline``."""

__all__: list[str] = []
