"""How near a model comes to what the machine can do: ``corrosion-edge benchmark roofline``."""

__all__: list[str] = []
