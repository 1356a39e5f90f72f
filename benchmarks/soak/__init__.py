"""A watch under faults for an hour or a week: does it grow? ``python -m …benchmarks.soak``."""

__all__: list[str] = []
