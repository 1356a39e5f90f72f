"""``python -m corrosion_edge`` is the command line ``corrosion-edge``."""

from corrosion_edge.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
