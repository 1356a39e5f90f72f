"""One network: all peers open side by side, taking turns, one at a time."""

import os
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any, Final

from corrosion_edge.benchmarks.peers.files import Network
from corrosion_edge.benchmarks.peers.pictures import Pictures
from corrosion_edge.benchmarks.peers.result import Block, Row, Start
from corrosion_edge.benchmarks.peers.running import NotHere, Running
from corrosion_edge.benchmarks.peers.table import OURS, Peer
from corrosion_edge.errors import BackendError
from corrosion_edge.progress import progress

__all__ = ["INVOKES", "LEAD", "LOOKS", "Open", "Turns", "measure"]

LEAD: Final = 2
"""Runs at the begin of a turn that do not count: the others have filled the caches meanwhile."""

INVOKES: Final = 10
LOOKS: Final = 4
"""Runs of a turn that count: of the network alone, and of a file's or a frame's whole path."""

Open = Callable[[Peer], Running]
"""Starts a peer's process (NotHere)."""


@dataclass(frozen=True, slots=True)
class Turns:
    """How much to measure, and with what; ``loads`` takes the load average at each turn."""

    threads: int
    rounds: int
    starts: int
    pictures: Pictures
    seed: int = 1
    loads: list[float] = field(default_factory=list)


def measure(network: Network, peers: Sequence[Peer], turns: Turns, start: Open) -> list[Row]:
    """A row for each peer; BackendError if ours fails, another that does is told in its row."""
    return list(_Measuring(network, peers, turns, start).measured().values())


class _Measuring:
    """The rows of one network, as they fill."""

    def __init__(self, network: Network, peers: Sequence[Peer], turns: Turns, start: Open) -> None:
        self._network, self._turns, self._start = network, turns, start
        self._running: dict[Peer, Running] = {}
        self._rows = {
            peer: Row(network.name, peer.file not in network.random, peer.name, peer.title,
                      network.absent.get(peer.file, ""), converted=_converted(network, peer))
            for peer in peers
        }  # fmt: skip

    def measured(self) -> dict[Peer, Row]:
        turns, name = self._turns, self._network.name
        with ExitStack() as stack:
            for peer in self._sound():
                self._attempt(peer, lambda p: self._open(p, stack))
            for peer in self._order(turns.rounds, name):
                self._attempt(peer, self._turn)
        for peer in self._order(turns.starts, f"{name}, starts"):
            self._attempt(peer, self._fresh)
        return self._rows

    def _sound(self) -> list[Peer]:
        return [peer for peer, row in self._rows.items() if not row.reason]

    def _order(self, rounds: int, label: str) -> Iterable[Peer]:
        """The peers that still run, in an order drawn anew for each round."""
        draw, peers = random.Random(self._turns.seed), self._sound()
        order = [peer for _ in range(rounds) for peer in draw.sample(peers, len(peers))]
        return progress(order, label, len(order))

    def _attempt(self, peer: Peer, do: Callable[[Peer], dict[str, Any]]) -> None:
        """Add to a row what ``do`` finds, unless the peer has failed."""
        row = self._rows[peer]
        if row.reason:
            return
        try:
            self._rows[peer] = replace(row, **do(peer))
        except NotHere as error:
            self._rows[peer] = replace(row, reason=str(error))
        except BackendError as error:
            if peer is OURS:
                raise
            self._rows[peer] = replace(row, reason=f"failed: {error}")

    def _open(self, peer: Peer, stack: ExitStack) -> dict[str, Any]:
        """Open it, and take its scores of all pictures; that also warms it."""
        process = self._running[peer] = stack.enter_context(self._start(peer))
        runtime = self._load(peer, process)
        count = len(self._turns.pictures.frames)
        prepared = self._invoke(process, range(count), 0)
        files = self._look(process, range(count), 0)
        frames = self._camera(process, range(count), 0)
        return {"runtime": runtime, "prepared_scores": tuple(prepared["scores"]),
                "frame_scores": tuple(files["scores"]),
                "camera_scores": tuple(frames["scores"])}  # fmt: skip

    def _turn(self, peer: Peer) -> dict[str, Any]:
        row, process = self._rows[peer], self._running[peer]
        self._turns.loads.append(os.getloadavg()[0])
        invoke = _block(self._invoke(process, self._places(INVOKES), LEAD))
        look = _block(self._look(process, self._places(LOOKS), LEAD))
        camera = _block(self._camera(process, self._places(LOOKS), LEAD))
        return {"invoke": (*row.invoke, invoke), "look": (*row.look, look),
                "camera": (*row.camera, camera)}  # fmt: skip

    def _fresh(self, peer: Peer) -> dict[str, Any]:
        began = time.monotonic_ns()
        with self._start(peer) as process:
            self._load(peer, process)
            self._look(process, [0], 0)
            took = time.monotonic_ns() - began
            start = Start(took, process.cpu_ns, process.peak_memory_bytes)
        return {"starts": (*self._rows[peer].starts, start)}

    def _load(self, peer: Peer, process: Running) -> str:
        model = str(self._network.folder / peer.file)
        runtime: str = process.ask("open", model=model, threads=self._turns.threads)["runtime"]
        return runtime

    def _invoke(self, process: Running, places: Iterable[int], lead: int) -> dict[str, Any]:
        prepared = str(self._network.prepared)
        return process.ask("invoke", prepared=prepared, pictures=list(places), lead=lead)

    def _look(self, process: Running, places: Iterable[int], lead: int) -> dict[str, Any]:
        frames = [str(self._turns.pictures.frames[place]) for place in places]
        return process.ask("look", frames=frames, lead=lead)

    def _camera(self, process: Running, places: Iterable[int], lead: int) -> dict[str, Any]:
        frames = [str(self._turns.pictures.arrays[place]) for place in places]
        return process.ask("camera", frames=frames, lead=lead)

    def _places(self, runs: int) -> list[int]:
        """The same pictures for every peer, those that do not count first."""
        count = len(self._turns.pictures.frames)
        return [place % count for place in range(LEAD + runs)]


def _converted(network: Network, peer: Peer) -> str:
    return network.converted if peer.file.startswith("int8") else ""


def _block(answer: Mapping[str, Any]) -> Block:
    return Block(tuple(answer["ns"]), answer["cpu_ns"] / len(answer["ns"]))
