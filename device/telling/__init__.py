"""Telling others by network: events with acknowledgement, the live state as it is now."""

__all__: list[str] = []
