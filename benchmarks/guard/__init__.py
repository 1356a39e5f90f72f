"""Whether anything became slower: ``python -m …benchmarks.guard``."""

__all__: list[str] = []
