"""``python -m corrosion_edge.benchmarks.soak``."""

from corrosion_edge.benchmarks.soak.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
