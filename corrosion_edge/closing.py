"""What every seam has beside its one verb: it is closed, and is a context manager."""

from types import TracebackType
from typing import Protocol, Self

__all__ = ["Closing"]


class Closing(Protocol):
    """A context manager that closes itself at the end of the block; to be inherited from."""

    def close(self) -> None:
        """Give back what is held."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
