"""Work on many items by several workers, in order, though a worker may be killed at any time.

``ordered`` drives any ``Workers``: processes of this machine, or actors of a Ray cluster.
"""

__all__: list[str] = []
