"""The Edge TPU: its delegate, tried in a process of its own, lost, found again, or stood in for."""

__all__: list[str] = []
