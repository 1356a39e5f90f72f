"""In place of PiDNG, which has no wheel: picamera2 imports it for raw photographs only."""
