"""Workers that are processes of this machine, each started anew rather than forked.

Forked ones would inherit the locks of threads that runtimes and NumPy start.
"""

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Final, TypeVar

from corrosion_edge.parallel.parcel import Parcel
from corrosion_edge.parallel.workers import One, Opening, Work, Workers

__all__ = ["Processes"]

T = TypeVar("T")
R = TypeVar("R")

_START: Final = get_context("spawn")


class Processes(Workers[T, R]):
    """``count`` processes, each with what ``opening`` makes there.

    They end when this object is closed, and when the process that made it ends, however it does.
    Ctrl-C is left to that process. Arrays of ``opening`` are in memory once for all of them,
    read-only (OutputError if the disk has no room for them). Each is a pool of its own: a pool of
    several breaks as a whole, and up to Python 3.13 may wait for ever if one dies while another is
    being started.
    """

    lost = (BrokenProcessPool,)

    def __init__(self, count: int, opening: Opening[T, R]) -> None:
        if count < 1:
            raise ValueError(f"count: expected 1 or more, got {count}")
        # Nothing is ever sent: the workers see the other end close, whoever closes it.
        self._ours, theirs = _START.Pipe()
        self._theirs = theirs
        self._parcel = Parcel.of(opening)
        self.each = [_One[T, R](self._parcel, theirs) for _ in range(count)]

    def close(self) -> None:
        """End the processes at once, whatever they are at."""
        self._ours.close()
        self._theirs.close()
        for one in self.each:
            one.close()
        self._parcel.close()


class _One(One[T, R]):
    """One process; after it died, another."""

    def __init__(self, parcel: Parcel, end: Connection) -> None:
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


@contextmanager
def _interrupts_held() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Worker:
    """A process's own: how its work is opened, and the work once it was."""

    parcel: Parcel
    work: Work[Any, Any] | None = None


def _begin(parcel: Parcel, end: Connection) -> None:
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
