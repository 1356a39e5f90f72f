"""Workers that are processes of this machine, each started anew rather than forked.

Forked ones would inherit the locks of threads that runtimes and NumPy start.
"""

import os
import pickle
import signal
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.reduction import DupFd
from typing import Any, BinaryIO, Final, Generic, TypeVar

from corrosion_edge.parallel.workers import Opening, Work, Workers

__all__ = ["Processes"]

T = TypeVar("T")
R = TypeVar("R")

_START: Final = get_context("spawn")


class Processes(Workers[T, R]):
    """``count`` processes, each with what ``opening`` makes there.

    They end when this object is closed, and when the process that made it ends, however it does.
    Ctrl-C is left to that process. Each is a pool of its own: a pool of several breaks as a whole,
    and up to Python 3.13 may wait for ever if one dies while another is being started.
    """

    lost = (BrokenProcessPool,)

    def __init__(self, count: int, opening: Opening[T, R]) -> None:
        if count < 1:
            raise ValueError(f"count: expected 1 or more, got {count}")
        self.count = count
        # Nothing is ever sent: the workers see the other end close, whoever closes it.
        self._ours, theirs = _START.Pipe()
        self._theirs = theirs
        self._parcel = _Parcel.of(opening)
        self._each = [_One[T, R](self._parcel, theirs) for _ in range(count)]

    def submit(self, items: Sequence[T]) -> "Future[list[R]]":
        """See ``Workers.submit``; the one with the least to do gets them."""
        return min(self._each, key=_One.load).submit(items)

    def close(self) -> None:
        """End the processes at once, whatever they are at."""
        self._ours.close()
        self._theirs.close()
        for one in self._each:
            one.close()
        self._parcel.file.close()


class _One(Generic[T, R]):
    """One process; after it died, another."""

    def __init__(self, parcel: "_Parcel", end: Connection) -> None:
        self._begin = (parcel, end)
        self._pool = self._new_pool()
        self._given: list[Future[list[R]]] = []

    def load(self) -> int:
        self._given = [future for future in self._given if not future.done()]
        return len(self._given)

    def submit(self, items: Sequence[T]) -> "Future[list[R]]":
        with _interrupts_held():  # inherited by a process that is started here
            try:
                future = self._pool.submit(_work_on, list(items))
            except BrokenProcessPool:
                self._pool.shutdown()
                self._pool = self._new_pool()
                future = self._pool.submit(_work_on, list(items))
        self._given.append(future)
        return future

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _new_pool(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(1, _START, _begin, self._begin)


@dataclass(frozen=True, slots=True)
class _Parcel:
    """An opening on its way, in a file without a name.

    A process that is started gets what it is given through a pipe, and whoever starts it waits for
    ever if it dies before it has read what does not fit into that: 64 KiB.
    """

    file: BinaryIO

    @classmethod
    def of(cls, opening: Opening[Any, Any]) -> "_Parcel":
        # Closed with the workers that get it.
        file = tempfile.TemporaryFile()  # noqa: SIM115
        file.write(pickle.dumps(opening))
        file.flush()
        return cls(file)

    def __reduce__(self) -> tuple[Any, ...]:
        return _Parcel.arrived, (DupFd(self.file.fileno()),)

    @classmethod
    def arrived(cls, handle: Any) -> "_Parcel":
        return cls(open(handle.detach(), "rb"))  # noqa: PTH123

    def opened(self) -> Opening[Any, Any]:
        """The opening; the file's position is everybody's, so it is read from its start."""
        with self.file as file:
            opening: Opening[Any, Any] = pickle.loads(
                os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0)
            )
        return opening


@contextmanager
def _interrupts_held() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Worker:
    """A process's own: how its work is opened, and the work once it was."""

    parcel: _Parcel
    work: Work[Any, Any] | None = None


def _begin(parcel: _Parcel, end: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _Worker.parcel = parcel
    threading.Thread(target=_end_with, args=(end,), daemon=True).start()


def _end_with(end: Connection) -> None:
    end.poll(None)
    os._exit(1)


def _work_on(items: list[Any]) -> list[Any]:
    # Opened by the first task: what it raises reaches whoever waits, a pool would only break.
    if _Worker.work is None:
        _Worker.work = _Worker.parcel.opened()()
    return [_Worker.work(item) for item in items]
