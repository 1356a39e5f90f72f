"""In place of kms++'s module, which Debian and PyPI do not carry: picamera2 imports it for its
preview on a screen only."""

__all__ = ["PixelFormat"]


class _Names(type):
    def __getattr__(cls, name: str) -> str:
        return name


class PixelFormat(metaclass=_Names):
    """Any format is its own name."""
