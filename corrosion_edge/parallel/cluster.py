"""Workers that are actors of a Ray cluster.

Actors rather than tasks: what ``opening`` makes, an interpreter, is made once in each.
"""

import os
import socket
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from corrosion_edge.errors import UsageError
from corrosion_edge.parallel.workers import One, Opening, Work, Workers

__all__ = ["LOCAL", "Actors"]

T = TypeVar("T")
R = TypeVar("R")

_PATIENCE: Final = 10.0  # seconds
_START_WITHIN: Final = 30.0  # seconds for an actor: a node may be gone, or its cores in use

LOCAL: Final = "local"
"""The address that starts a cluster of this machine alone."""


class Actors(Workers[T, R]):
    """Actors in the cluster at ``address``, one a core, or ``count`` of them.

    What runs on the nodes is the package that is installed there. Raises UsageError if there is
    no cluster, it has fewer cores, or none is free, ModuleNotFoundError without Ray.
    """

    def __init__(self, address: str, count: int | None, opening: Opening[T, R]) -> None:
        import ray

        self._ray = ray
        self.lost = (
            ray.exceptions.RayActorError, ray.exceptions.OutOfMemoryError,
            ray.exceptions.WorkerCrashedError, ray.exceptions.ObjectLostError,
        )  # fmt: skip
        self._connect(address)
        try:
            cores = max(1, int(ray.cluster_resources().get("CPU", 1)))
            if count and count > cores:  # each asks for one, and would wait for it for ever
                raise UsageError(
                    f"--workers: {count} are more than the {cores} cores of the cluster at "
                    f"{address}; ask for fewer, or leave the option out"
                )
            parcel = ray.put(opening)
            asked = [_One[T, R](ray, parcel, self.lost) for _ in range(count or cores)]
            self.each = self._those_that_came(asked, address)
        except BaseException:
            ray.shutdown()
            raise

    def close(self) -> None:
        """End the actors, and leave the cluster; one of this machine alone ends too."""
        for one in self.each:
            one.close()
        self._ray.shutdown()

    def _those_that_came(self, asked: "Sequence[_One[T, R]]", address: str) -> "list[_One[T, R]]":
        """Without those that got no core: work that is given to them would wait for ever."""
        signs = [one.up for one in asked]
        signs, _ = self._ray.wait(signs, num_returns=len(signs), timeout=_START_WITHIN)
        there = [one for one in asked if one.up in signs]
        for one in asked:
            if one not in there:
                one.close()
        if not there:
            raise UsageError(
                f"--ray {address}: no core became free within {_START_WITHIN:g} s; others may use "
                "the cluster"
            )
        return there

    def _connect(self, address: str) -> None:
        how: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        if address == LOCAL:
            how |= {"include_dashboard": False}
        # Ray would report how it is used to its makers.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            _require_answer(address)
            self._ray.init(address, **how)
        except (OSError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise UsageError(
                f"--ray {address}: no cluster can be reached ({reason}); if it asks for a token, "
                "set RAY_AUTH_MODE=token"
            ) from None


def _require_answer(address: str) -> None:
    """OSError where nobody answers at an address with a port: Ray would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), _PATIENCE).close()


class _One(One[T, R]):
    """One actor; after it died, another."""

    def __init__(self, ray: Any, parcel: Any, lost: tuple[type[BaseException], ...]) -> None:
        self._ray, self._parcel, self._lost = ray, parcel, lost
        self._actor = self._new_actor(cores=1)
        self.up = self._actor.is_up.remote()
        self._dead = False
        self._given: list[Future[list[R]]] = []

    def load(self) -> int:
        self._given = [future for future in self._given if not future.done()]
        return len(self._given)

    def submit(self, items: Sequence[T]) -> "Future[list[R]]":
        if self._dead:
            # It asks for no core: the node that it was on, with its cores, may be gone.
            self._actor, self._dead = self._new_actor(cores=0), False
        outer: Future[list[R]] = Future()
        inner = self._actor.work_on.remote(list(items)).future()
        inner.add_done_callback(lambda done: self._pass_on(done, outer))
        self._given.append(outer)
        return outer

    def close(self) -> None:
        self._ray.kill(self._actor)

    def _pass_on(self, done: "Future[list[R]]", outer: "Future[list[R]]") -> None:
        error = done.exception()
        if error is None:
            outer.set_result(done.result())
            return
        self._dead |= isinstance(error, self._lost)
        # Ray wraps what the work raised, with the traceback in its text.
        outer.set_exception(getattr(error, "cause", None) or error)

    def _new_actor(self, *, cores: int) -> Any:
        remote = self._ray.remote(num_cpus=cores, scheduling_strategy="SPREAD")(_Actor)
        return remote.remote(self._parcel)


class _Actor:
    """Runs on a node."""

    def __init__(self, opening: Opening[Any, Any]) -> None:
        self._opening = opening
        self._work: Work[Any, Any] | None = None

    def is_up(self) -> None:
        """Answered once it has its core."""

    def work_on(self, items: list[Any]) -> list[Any]:
        # Opened by the first task: what it raises reaches whoever waits.
        if self._work is None:
            self._work = self._opening()
        return [self._work(item) for item in items]
