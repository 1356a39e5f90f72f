"""``python -m corrosion_edge.benchmarks.peers``."""

from corrosion_edge.benchmarks.peers.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
