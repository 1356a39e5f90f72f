"""The soak itself: starts all parts, lets things go wrong, looks every few seconds, ends them."""

import os
import shlex
import signal
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from corrosion_edge import output
from corrosion_edge.benchmarks.machine import read_machine
from corrosion_edge.benchmarks.soak.account import account
from corrosion_edge.benchmarks.soak.director import RECOVER_WITHIN, Director
from corrosion_edge.benchmarks.soak.faults import CameraTarget, ModelTarget, ReceiverTarget
from corrosion_edge.benchmarks.soak.plan import Plan, configuration
from corrosion_edge.benchmarks.soak.probe import probe
from corrosion_edge.benchmarks.soak.receiver import Receiver
from corrosion_edge.benchmarks.soak.record import Record
from corrosion_edge.benchmarks.soak.station import Station, own_server
from corrosion_edge.benchmarks.soak.video import loop_video
from corrosion_edge.benchmarks.soak.visitors import Visitors
from corrosion_edge.benchmarks.soak.watched import Stored, Watched
from corrosion_edge.bundle import DEFAULT_MODEL
from corrosion_edge.device.capture.several import named
from corrosion_edge.device.stop import Stop
from corrosion_edge.errors import OutputError

__all__ = ["soak"]

CONFIG: Final = "watch.toml"
MODEL: Final = "model.tflite"
STORE: Final = "store"
STEADY: Final = "steady"
"""The camera that is left alone: what others suffer must cost it nothing."""

_STEP: Final = 0.2
_START_WITHIN: Final = 120.0
_DELIVER_WITHIN: Final = 60.0


def soak(plan: Plan, out: Path) -> None:
    """Run it; ``out`` gets the record, the store and the logs.

    Raises OutputError if the watch does not start, or cannot be looked at, SourceError for a
    camera's server that does not start. A watch that ends before its time is recorded. SIGTERM is
    a KeyboardInterrupt here, so that no part is left running.
    """
    output.make_folder(out)
    with Stop().on(signal.SIGTERM), ExitStack() as stack:
        record = stack.enter_context(Record(out))
        stations = _stations(plan, out, stack)
        receiver = stack.enter_context(Receiver())
        model = ModelTarget(out / MODEL, DEFAULT_MODEL)
        command = _command(plan, out, stations, receiver)
        watched = stack.enter_context(Watched(command, out))
        started = _started(watched, out)
        record.add("start", 0.0, time=time.time(), plan=plan.to_dict(), command=command,
                   machine=asdict(read_machine()))  # fmt: skip
        page, metrics = watched.addresses
        visitors = stack.enter_context(Visitors(page, metrics, plan.seed))
        victims = [CameraTarget(station) for station in stations if station.name != STEADY]
        targets = [*victims, model, ReceiverTarget(receiver)]
        loop = _Loop(plan, record, watched, started)
        director = Director(
            targets, interval=plan.fault_every, hung=plan.hung_after, frozen=plan.frozen_after,
            seed=plan.seed, tell=loop.tell, start=started, only=plan.only,
        )  # fmt: skip
        loop.run(director, visitors, receiver)
        visitors.close()
        loop.end(receiver, out / STORE)


def _stations(plan: Plan, out: Path, stack: ExitStack) -> list[Station]:
    """Two cameras that are ill-treated, one that never is, and those that the plan names."""
    video = loop_video(out / "loop.ts", seconds=plan.loop, size=plan.size, seed=plan.seed)
    made = [(kind, own_server(kind, video), kind) for kind in ("mpegts", "mjpeg")]
    made.append((STEADY, own_server("mjpeg", video), "mjpeg"))
    made += [(f"server{n}", shlex.split(words), "") for n, words in enumerate(plan.servers, 1)]
    return [stack.enter_context(Station(*each)) for each in made]


def _command(plan: Plan, out: Path, stations: list[Station], receiver: Receiver) -> list[str]:
    """The watch's command, with the file that it reads."""
    cameras = {station.name: station.address for station in stations} | named(plan.cameras)
    output.write(out / CONFIG, configuration(plan, cameras, Path(MODEL), receiver.address))
    return [*plan.program, "watch", "--config", str(out / CONFIG), *plan.words]


def _started(watched: Watched, out: Path) -> float:
    """When the watch was up: page and metrics listen, and a verdict is out."""
    end = time.monotonic() + _START_WITHIN
    while len(watched.addresses) < 2 or watched.verdicts == 0:
        if watched.code is not None or time.monotonic() > end:
            raise OutputError(f"the watch does not start; {out / 'watch.log'} says why")
        time.sleep(_STEP)
    return time.monotonic()


class _Loop:
    """Looks at the watch and takes down what it sees."""

    def __init__(self, plan: Plan, record: Record, watched: Watched, start: float) -> None:
        self._plan, self._record, self._watched, self._start = plan, record, watched, start
        self._reported: dict[int, str] = {}
        self._told: dict[str, int] = {}
        self._due = start

    def tell(self, kind: str, fields: dict[str, Any]) -> None:
        """Take a fault down."""
        self._record.add(kind, self._now(), **fields)

    def run(self, director: Director, visitors: Visitors, receiver: Receiver) -> None:
        """Until the time is over and every fault is through, or the watch ends."""
        end = self._start + 60 * self._plan.minutes
        while self._watched.code is None:
            now = time.monotonic()
            more = now < end
            if not more and (director.open == 0 or now > end + 2 * RECOVER_WITHIN):
                break
            director.step(now, self._stored(), more=more)
            if now >= self._due:
                self._sample(visitors, receiver, director.open)
                self._due += self._plan.sample_every
            time.sleep(_STEP)
        director.end()

    def end(self, receiver: Receiver, store: Path) -> None:
        """End the watch, and compare what it reported with what is there."""
        early = self._watched.code
        if early is None:
            _until(lambda: len(receiver.got) >= len(self._reported), _DELIVER_WITHIN)
            code = self._watched.end()
        self._stored()
        self._hear()
        found = account(store, self._reported, receiver.got, self._told)
        self._record.add("end", self._now(), exit_code=code if early is None else early,
                         early=early is not None, **found)  # fmt: skip

    def _now(self) -> float:
        return time.monotonic() - self._start

    def _stored(self) -> list[Stored]:
        found = []
        while not self._watched.stored.empty():
            found.append(self._watched.stored.get())
        self._reported |= {event.sequence: event.hash for event in found}
        return found

    def _hear(self) -> dict[str, Any]:
        heard = asdict(self._watched.taken())
        for event, count in heard.pop("told").items():
            self._told[event] = self._told.get(event, 0) + count
        return heard

    def _sample(self, visitors: Visitors, receiver: Receiver, faults: int) -> None:
        try:
            found = probe(self._watched.pid)
        except OutputError:
            return  # it has just ended; ``run`` sees that
        self._record.add(
            "sample", self._now(), **found, **self._hear(), faults=faults,
            stored=len(self._reported), delivered=len(receiver.got), visits=dict(visitors.came),
            heap_kb=visitors.heap_kb, load=os.getloadavg()[0],
        )  # fmt: skip


def _until(holds: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(_STEP)
