"""``python -m corrosion_edge.benchmarks.archive``."""

from corrosion_edge.benchmarks.archive.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
