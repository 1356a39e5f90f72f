"""How near ``classify`` comes to what decoding and the network cost, and how it grows.

``python -m corrosion_edge.benchmarks.archive``.
"""

__all__: list[str] = []
