"""The recipes that ship, as TOML files: what each does, costs and gives stands in its header."""

__all__: list[str] = []
