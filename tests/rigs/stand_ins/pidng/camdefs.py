"""Cameras of which raw photographs can be written: none."""

__all__ = ["Picamera2Camera"]


class Picamera2Camera:
    """Imported by picamera2, never made here."""
