"""How much one client, and all together, may ask for."""

import ipaddress
import math
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Busy", "Rate", "Slots", "client_of"]

_CLIENTS = 1024  # remembered at most; the one that was quiet longest is forgotten


class Busy(Exception):  # noqa: N818 - it is no error of ours
    """Too much is asked for; ``seconds`` until it may be tried again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"try again in {seconds} s")
        self.seconds = seconds


class Rate:
    """``burst`` at once, and then ``per_second``, for each client: a bucket of tokens."""

    def __init__(
        self, burst: float, per_second: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if not (burst >= 1 and per_second > 0):
            raise ValueError(f"expected 1 or more and over 0, got {burst}, {per_second}")
        self._burst, self._per_second, self._clock = burst, per_second, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str) -> int:
        """Whole seconds until the client has one left; 0 if it has."""
        missing = 1 - self._now(client)
        return max(0, math.ceil(missing / self._per_second))

    def take(self, client: str) -> None:
        """Take one (Busy if there is none)."""
        if seconds := self.wait(client):
            raise Busy(seconds)
        self._left[client] = (self._now(client) - 1, self._clock())
        self._left.move_to_end(client)
        if len(self._left) > _CLIENTS:
            self._left.popitem(last=False)

    def __len__(self) -> int:
        return len(self._left)

    def _now(self, client: str) -> float:
        left, then = self._left.get(client, (self._burst, 0.0))
        return min(self._burst, left + (self._clock() - then) * self._per_second)


class Slots:
    """So many at once for a client, and for all."""

    def __init__(self, per_client: int, total: int, retry: int = 5) -> None:
        if not 1 <= per_client <= total:
            raise ValueError(f"expected 1 <= per client <= total, got {per_client}, {total}")
        self._per_client, self._total, self._retry = per_client, total, retry
        self._taken: Counter[str] = Counter()
        self.most = 0

    @contextmanager
    def held(self, client: str) -> Iterator[None]:
        """One slot within the block (Busy if there is none)."""
        if self._taken[client] >= self._per_client or self._taken.total() >= self._total:
            self._taken += Counter()  # forget those with none
            raise Busy(self._retry)
        self._taken[client] += 1
        self.most = max(self.most, self._taken.total())
        try:
            yield
        finally:
            self._taken[client] -= 1
            self._taken += Counter()

    @property
    def taken(self) -> int:
        """How many are held now."""
        return self._taken.total()


def client_of(host: str) -> str:
    """Who a limit counts for: an address, and in version 6 its network of 64 bits."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return host
