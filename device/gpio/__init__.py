"""Lamps and relays on the pins of a Raspberry Pi; needs the extra ``gpio``."""

__all__: list[str] = []
