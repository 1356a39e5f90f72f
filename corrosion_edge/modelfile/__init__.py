"""The model file as a container: its layout, keys and signatures."""

__all__: list[str] = []
