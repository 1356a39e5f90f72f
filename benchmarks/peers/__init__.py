"""This project's way beside other people's: the same network and pictures, in one run."""

__all__: list[str] = []
