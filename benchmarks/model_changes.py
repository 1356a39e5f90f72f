"""What a model put in place costs: ``python -m corrosion_edge.benchmarks.model_changes``.

Runs `corrosion-edge watch --model` with one thread on rendered pictures that are always there, and
puts another good model file in place, again and again, each once the watch changed to the one
before. Told are the gaps between two verdicts, without and with changes, and the resident memory,
threads and open files before, in the middle and after.
"""

import json
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import click

from corrosion_edge import output
from corrosion_edge.benchmarks.archive.many import linked, rendered
from corrosion_edge.benchmarks.memory import resident_bytes
from corrosion_edge.benchmarks.process import PROGRAM
from corrosion_edge.bundle import DEFAULT_MODEL, Bundle
from corrosion_edge.cli import Command
from corrosion_edge.errors import OutputError
from corrosion_edge.number import Number

__all__ = ["main"]

_AHEAD: Final = 50  # verdicts before anything is counted
_FASTEST: Final = 400  # verdicts a second that there are pictures for: names of eight rendered ones
_EXAMINED: Final = 2.0  # seconds at most, on the whole, that a model waits for its turn
_SIZE: Final = (320, 240)


@dataclass(slots=True)
class Watched:
    """The running watch, its lines, and the seconds from verdict to verdict."""

    process: "subprocess.Popen[str]"
    last: float = 0.0
    gaps: list[float] = field(default_factory=list)

    def line(self) -> str:
        """The kind of the next event, or nothing for a verdict (OutputError where it ended)."""
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        if not said:
            raise OutputError("watch ended before it was to")
        fields = json.loads(said)
        if "event" in fields:
            return str(fields["event"])
        now = time.monotonic()
        if self.last:
            self.gaps.append(now - self.last)
        self.last = now
        return ""

    def until(self, event: str) -> None:
        """Read on to this event."""
        while (kind := self.line()) != event:
            if kind:
                raise OutputError(f"watch says {kind}, not {event}")

    def calm(self, seconds: float) -> None:
        """Read so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.line()

    def taken(self) -> str:
        """The gaps since the last time."""
        gaps, self.gaps = [1000 * gap for gap in self.gaps], []
        middle = statistics.median(gaps)
        return f"{middle:.1f} ms from verdict to verdict (median), {max(gaps):.1f} at most"

    def holds(self) -> str:
        """Memory, threads and open files now."""
        place = Path(f"/proc/{self.process.pid}")
        memory = resident_bytes(place / "status")
        counts = [len(list((place / name).iterdir())) for name in ("task", "fd")]
        told = f"{memory / 1e6:.0f} MB" if isinstance(memory, int) else str(memory)
        return f"{told}, {counts[0]} threads, {counts[1]} open files"


@contextmanager
def _watching(folder: Path, model: Path) -> Iterator[Watched]:
    command = [*PROGRAM, "watch", "--camera", str(folder), "--model", str(model), "--threads", "1",
               "--json", "--no-quality"]  # fmt: skip
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, bufsize=1,
    )  # fmt: skip
    try:
        yield Watched(process)
    finally:
        process.terminate()
        process.communicate(timeout=30)


@click.command(cls=Command)
@click.option("--changes", type=click.IntRange(min=2), default=20, show_default=True)
@click.option("--every", type=Number(min=0), default=1.0, show_default=True,
              help="Seconds from one change to the next file.")  # fmt: skip
def main(changes: int, every: float) -> None:
    """Measure gaps between verdicts, and memory, while the model file is replaced."""
    bundle = Bundle.load(DEFAULT_MODEL)
    with tempfile.TemporaryDirectory() as name:
        place, model = Path(name), Path(name, "model.tflite")
        calm = max(every, 1) * min(changes, 20)
        count = int(_FASTEST * (calm + changes * (every + _EXAMINED)))
        (place / "few").mkdir()
        pictures = linked(rendered(place / "few", 8, _SIZE), place / "many", count)
        bundle.save(model)
        with _watching(pictures, model) as watched:
            for _ in range(_AHEAD):
                watched.line()
            watched.gaps.clear()
            watched.calm(calm)
            click.echo(f"no change: {watched.taken()}; {watched.holds()}")
            for number in range(1, changes + 1):
                output.write(model, bundle.with_fields(name=f"change {number}").to_bytes())
                watched.process.send_signal(signal.SIGHUP)
                watched.until("model_changed")
                watched.calm(every)
                if number in (changes // 2, changes):
                    click.echo(f"{number} changes: {watched.taken()}; {watched.holds()}")


if __name__ == "__main__":
    main()
