"""The page of a watch, and its metrics for Prometheus; needs the extra ``web``."""

__all__: list[str] = []
