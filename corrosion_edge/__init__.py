"""corrosion-edge: from a folder of photos to a corrosion detector on the edge.

Importing this package imports nothing else; each room is imported where it is used.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
