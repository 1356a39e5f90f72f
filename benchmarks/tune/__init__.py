"""Which settings are fastest on this board: ``corrosion-edge benchmark tune``."""

__all__: list[str] = []
