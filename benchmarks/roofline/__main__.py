"""``python -m corrosion_edge.benchmarks.roofline``."""

from corrosion_edge.benchmarks.roofline.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
