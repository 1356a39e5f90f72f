"""Fetching the public photos, looking a data folder over, finding copies, splitting anew."""

__all__: list[str] = []
