"""A whole run: networks one after the other, their peers side by side."""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from corrosion_edge.benchmarks import machine
from corrosion_edge.benchmarks.peers import pictures
from corrosion_edge.benchmarks.peers.files import filled, network
from corrosion_edge.benchmarks.peers.result import Result
from corrosion_edge.benchmarks.peers.rounds import Turns, measure
from corrosion_edge.benchmarks.peers.running import Running
from corrosion_edge.benchmarks.peers.table import OURS, PEERS, Peer
from corrosion_edge.benchmarks.usage import Usage
from corrosion_edge.errors import UsageError

__all__ = ["Plan", "chosen", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure; ``pictures`` None renders some, ``files`` holds a folder a network."""

    networks: Sequence[str]
    peers: Sequence[Peer]
    threads: int
    rounds: int
    starts: int
    pictures: Path | None
    files: Path
    rigs: Path


def chosen(names: Sequence[str]) -> list[Peer]:
    """Ours and the peers of these names, all if there is none (UsageError for an unknown one)."""
    known = {peer.name: peer for peer in PEERS}
    if wrong := [name for name in names if name not in known]:
        raise UsageError(f"--peer: expected one of {', '.join(known)}, got {wrong[0]}")
    return [peer for peer in PEERS if not names or peer is OURS or peer.name in names]


def run(plan: Plan) -> Result:
    """Make the files, then measure. Raises as ``filled``, ``pictures.given`` and ``measure``."""
    wanted = list(dict.fromkeys(peer.file for peer in plan.peers))
    folders = [filled(name, plan.files / name, plan.rigs, wanted) for name in plan.networks]
    with tempfile.TemporaryDirectory(prefix="corrosion-edge-") as folder:
        scratch = Path(folder)
        files = pictures.given(plan.pictures) if plan.pictures else pictures.rendered(scratch)
        shown = files.decoded(scratch)
        turns = Turns(plan.threads, plan.rounds, plan.starts, shown)
        started, usage = _now(), Usage()
        rows = [row for made in folders
                for row in measure(network(made, shown, scratch), plan.peers, turns,
                                   lambda peer: Running(peer, plan.rigs))]  # fmt: skip
        return Result(
            command=" ".join(["python", "-m", str(__package__), *sys.argv[1:]]),
            started_at=started,
            finished_at=_now(),
            machine=asdict(machine.read_machine()),
            threads=plan.threads,
            rounds=plan.rounds,
            pictures=shown.told,
            others_cores=usage.others_cores(),
            loads=tuple(turns.loads),
            rows=tuple(rows),
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
