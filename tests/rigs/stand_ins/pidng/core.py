"""The writer of raw photographs."""

__all__ = ["PICAM2DNG"]


class PICAM2DNG:
    """Imported by picamera2, never made here."""
