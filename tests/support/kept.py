"""A sink for tests."""

from corrosion_edge.device.sinks import Sink

__all__ = ["Kept"]


class Kept(Sink):
    """A sink that remembers."""

    def __init__(self):
        self.results = []

    def write(self, result):
        self.results.append(result)

    def close(self):
        pass
