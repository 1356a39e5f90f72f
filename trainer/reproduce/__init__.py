"""Reproducing the tables and figures of Zhao et al., Heliyon 2024, 10(17), e36754."""

__all__: list[str] = []
