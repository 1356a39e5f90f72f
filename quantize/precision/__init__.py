"""Other precisions than int8: written for diagnosis, and compared side by side."""

__all__: list[str] = []
