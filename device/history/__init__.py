"""What a store tells people: tables, exports, and pages with weeks of scores."""

__all__: list[str] = []
