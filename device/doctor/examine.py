"""All probes on one machine, none of which may fail the others."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from corrosion_edge.device.doctor import board, cameras, network, python, storage
from corrosion_edge.device.doctor.finding import UNKNOWN, Finding
from corrosion_edge.device.doctor.host import Host

__all__ = ["PROBES", "Probe", "examine"]

Probe = Callable[[Host], Iterator[Finding]]

PROBES: Final[dict[str, Probe]] = {
    "board": board.board,
    "python": python.python,
    "numpy": python.numpy,
    "runtime": python.runtime,
    "edge tpu": cameras.edge_tpu,
    "picamera2": python.picamera2,
    "cameras": cameras.video,
    "groups": cameras.groups,
    "temperature": board.temperature,
    "throttling": board.throttling,
    "power": board.power,
    "cpu": board.governor,
    "memory": board.memory,
    "swap": board.swap,
    "disk": storage.disk,
    "wear": storage.wear,
    "clock": network.time_of_day,
    "network": network.network,
}
"""Topic and probe, in the order in which they are told."""


def examine(host: Host, probes: dict[str, Probe] | None = None) -> list[Finding]:
    """What every probe finds, in order; side by side, for two of them wait for a process."""
    chosen = PROBES if probes is None else probes
    with ThreadPoolExecutor(len(chosen)) as pool:
        answers: Sequence[list[Finding]] = list(
            pool.map(lambda item: _tried(host, *item), chosen.items())
        )
    return [finding for answer in answers for finding in answer]


def _tried(host: Host, topic: str, probe: Probe) -> list[Finding]:
    """A probe that fails knows nothing, and says why."""
    try:
        return list(probe(host))
    except Exception as error:
        said = f"cannot be told ({error or type(error).__name__})"
        return [Finding(topic, UNKNOWN, said, "Ask again, with a larger --patience.")]
