"""Run inputs in child processes with limits on memory and time; what became of each."""

import json
import multiprocessing
import resource
import signal
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

__all__ = ["Outcome", "run"]


@dataclass
class Outcome:
    """How many inputs ended in which way, and the inputs that ended the process."""

    counts: Counter[str] = field(default_factory=Counter)
    fatal: list[tuple[int, str]] = field(default_factory=list)

    def to_json(self) -> str:
        return json.dumps({"counts": dict(self.counts.most_common()), "fatal": self.fatal[:50]})


def run(
    work: Callable[[int], str], seeds: Iterable[int], *, memory: int, seconds: float
) -> Outcome:
    """Call ``work`` with each seed in a child; its answer, or how the process ended, is counted.

    ``memory`` limits the child's address space in bytes, ``seconds`` each input's time. After an
    input that ended the process, or took too long, a new child goes on with the next.
    """
    outcome, left = Outcome(), list(seeds)
    while left:
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe(duplex=False)
        child = context.Process(target=_work, args=(work, left, theirs, memory))
        child.start()
        theirs.close()
        done = _read(ours, outcome, seconds)
        if done == len(left):
            child.join()
            return outcome
        ended = "hang" if child.is_alive() and not ours.closed and _alive(child) else ""
        child.kill()
        child.join()
        how = ended or _how(child.exitcode)
        outcome.counts[how] += 1
        outcome.fatal.append((left[done], how))
        left = left[done + 1 :]
    return outcome


def _alive(child: Any) -> bool:
    child.join(0.5)
    return bool(child.is_alive())


def _read(pipe: Connection, outcome: Outcome, seconds: float) -> int:
    """Take the answers until there is none for too long; how many there were."""
    done = 0
    try:
        while pipe.poll(seconds):
            outcome.counts[pipe.recv()] += 1
            done += 1
    except EOFError:
        pass
    return done


def _work(work: Callable[[int], str], seeds: list[int], pipe: Connection, memory: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    for seed in seeds:
        pipe.send(work(seed))
    pipe.close()


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"ended with {code}"
