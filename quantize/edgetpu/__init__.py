"""What the Edge TPU compiler would do with a model, told without the compiler."""

__all__: list[str] = []
