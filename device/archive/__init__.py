"""Archives: from a handful of photos to millions, by several workers, here or on a cluster."""

__all__: list[str] = []
