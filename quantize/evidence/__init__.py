"""The evidence on a conversion: limits, statistics of paired scores, sets of photos, the page."""

__all__: list[str] = []
