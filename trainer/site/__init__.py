"""Fine-tuning a trained detector on photos of one's own structure, without forgetting the old."""

__all__: list[str] = []
