"""Work on many items by several workers, though a worker may be killed at any time.

``ordered`` (many small items, results in their order) and ``finished`` (few long ones, results as
they come) drive any ``Workers``: processes of this machine, or actors of a Ray cluster.
"""

__all__: list[str] = []
