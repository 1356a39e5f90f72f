"""What the page and the metrics cost: ``python -m corrosion_edge.benchmarks.web_cost``.

Runs `corrosion-edge watch` on rendered pictures, a verdict each half second: alone, with page and
metrics that nobody looks at, scraped each 15 s, and with one client that asks as the page's script
does. Prints the processor time of the watching process, all threads, in percent of one core. The
time of a start is left out: it is counted from the fifth verdict on.
"""

import json
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import quote

import click
from PIL import Image

from corrosion_edge.benchmarks.process import PROGRAM, cpu_seconds
from corrosion_edge.cli import Command
from corrosion_edge.errors import OutputError
from corrosion_edge.number import Number
from corrosion_edge.render import clip

__all__ = ["Client", "main"]

INTERVAL: Final = 0.5
_AHEAD: Final = 5
_SCRAPE: Final = 15

_WEB: Final = ("--web", "127.0.0.1:0", "--metrics", "127.0.0.1:0")


class Client:
    """Asks as the page's script does: state each second, new pictures, scores each 5 s."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._serial = -1
        self._turn = 0

    def look(self) -> None:
        """One second's requests."""
        state = json.loads(self._get("api/state"))
        camera = state["cameras"][0]
        name, shot = quote(camera["name"], safe=""), camera["shot"]
        if shot and shot["serial"] != self._serial:
            self._serial = shot["serial"]
            self._get(f"cameras/{name}/snapshot.jpg?kind=map&serial={self._serial}")
        if self._turn % 5 == 0:
            self._get(f"api/scores?camera={name}&seconds=3600")
        self._turn += 1

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(self._address + path, timeout=10) as answer:
            content: bytes = answer.read()
        return content


@contextmanager
def _watching(folder: Path, words: tuple[str, ...]) -> Iterator["subprocess.Popen[str]"]:
    command = [*PROGRAM, "watch", "--camera", str(folder), "--interval",
               str(INTERVAL), "--threads", "1", *words]  # fmt: skip
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _percent(folder: Path, seconds: float, words: tuple[str, ...], how: str) -> float:
    with _watching(folder, words) as process:
        out, told = process.stdout, process.stderr
        assert out is not None and told is not None
        addresses = _addresses(told) if words else []
        for _ in range(_AHEAD):
            if not out.readline():
                raise OutputError(f"watch ended: {told.read()}")
        ask = _asker(how, addresses)
        before, start = cpu_seconds(process.pid), time.monotonic()
        turn = 0
        while time.monotonic() < start + seconds:
            ask(turn)
            turn += 1
            time.sleep(max(0.0, start + turn - time.monotonic()))
        return 100 * (cpu_seconds(process.pid) - before) / (time.monotonic() - start)


def _addresses(told: IO[str]) -> list[str]:
    """Addresses of page and metrics, as watch says them."""
    found: list[str] = []
    while len(found) < 2:
        line = told.readline()
        if not line:
            raise OutputError("watch ended before it listened")
        if " at http://" in line:
            found.append(line.split(" at ")[1].strip())
    return found


def _asker(how: str, addresses: list[str]) -> Callable[[int], Any]:
    if how == "one client":
        client = Client(addresses[0])
        return lambda turn: client.look()
    if how == "scraped":
        return lambda turn: (
            urllib.request.urlopen(addresses[1], timeout=10).read() if turn % _SCRAPE == 0 else None
        )
    return lambda turn: None


@click.command(cls=Command)
@click.option("--seconds", type=Number(min=1), default=60.0, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True)
def main(seconds: float, rounds: int) -> None:
    """Measure the processor time of watch with and without its page, in turn."""
    kinds: dict[str, tuple[str, ...]] = {
        "without": (), "idle": _WEB, "scraped": _WEB, "one client": _WEB
    }  # fmt: skip
    found: dict[str, list[float]] = {kind: [] for kind in kinds}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, pixels in enumerate(clip(frames=int(seconds / INTERVAL) + 30, size=(640, 480))):
            Image.fromarray(pixels).save(folder / f"{number:05d}.jpg", quality=90)
        for _ in range(rounds):
            for kind, words in kinds.items():
                found[kind].append(_percent(folder, seconds, words, kind))
                print(f"{kind}: {found[kind][-1]:.2f} % of a core", flush=True)
    _tell(found)


def _tell(found: dict[str, list[float]]) -> None:
    mean = {kind: sum(values) / len(values) for kind, values in found.items()}
    for kind, values in found.items():
        spread = f"{min(values):.2f} to {max(values):.2f}"
        print(f"{kind}: mean {mean[kind]:.2f} % ({spread}), {mean[kind] - mean['without']:+.2f}")


if __name__ == "__main__":
    main()
