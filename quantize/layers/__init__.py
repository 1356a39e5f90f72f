"""What int8 loses tensor by tensor, measured in the real runtime, and which tensors matter."""

__all__: list[str] = []
