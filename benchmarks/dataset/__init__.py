"""How well and how fast versions of one photo are found."""

__all__: list[str] = []
