"""How fast a recording is watched: ``python -m corrosion_edge.benchmarks.video``.

Writes a 1080p H.264 file of rendered pictures, then, in turn and in rounds: `corrosion-edge watch`
over it, in frames a second and processor time a frame from the 30th verdict to the last; the
network alone, on the same number of threads; decoding alone; and decoding in one thread while the
network runs in another, each as often, with nothing between them. No watch that looks at every
frame can be faster than that last one (``both``), whatever else the machine does meanwhile.
"""

import json
import os
import queue
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import numpy as np

from corrosion_edge.benchmarks.process import PROGRAM, cpu_seconds
from corrosion_edge.cli import Command
from corrosion_edge.device.accelerator.options import Accelerator
from corrosion_edge.device.kernels import KERNELS
from corrosion_edge.errors import OutputError
from corrosion_edge.render import clip

if TYPE_CHECKING:
    from corrosion_edge.device.classifier import Classifier

__all__ = ["Network", "both", "bound", "main", "watched", "write_video"]

_AHEAD: Final = 30
_DEPTH: Final = 3  # frames that wait, as in watch
_ALONE: Final = 2.0  # seconds for the network alone
_BITRATE: Final = 6_000_000

Found = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Network:
    """A model file (None is the default one), on so many threads, by whose kernels.

    The runtime's own kernels stand for a slower processor, where decoding costs the same.
    """

    threads: int = 1
    model: Path | None = None
    kernels: str = KERNELS[0]

    @property
    def words(self) -> list[str]:
        """The options of ``watch`` that name it."""
        model = ["--model", str(self.model)] if self.model else []
        return ["--threads", str(self.threads), "--kernels", self.kernels, *model]

    def open(self) -> "Classifier":
        """The same in this process (BundleError, BackendError)."""
        from corrosion_edge.device.classifier import Classifier

        opening = Accelerator("cpu", self.kernels).openings(threads=self.threads)
        return Classifier.open(self.model, opening=opening)


def write_video(path: Path, frames: int, size: tuple[int, int] = (1920, 1080)) -> None:
    """An H.264 file, YUV 4:2:0, 30 frames a second, 6 Mbit/s, of a surface that rusts."""
    import av

    with av.open(str(path), "w") as container:
        track = container.add_stream("libx264", rate=30, options={"preset": "veryfast"})
        track.width, track.height = size
        track.pix_fmt, track.bit_rate = "yuv420p", _BITRATE
        for pixels in clip(frames=frames, size=size):
            container.mux(track.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(track.encode())


def bound(cores: int, decode: float, invoke: float) -> float:
    """Frames a second that so many cores can do at most.

    ``decode`` and ``invoke`` are seconds of processor time a frame.
    """
    return cores / (decode + invoke)


def watched(video: Path, network: Network) -> dict[str, float]:
    """Frames a second (``fps``) and milliseconds of processor time a frame (``cpu_ms``) of watch.

    OutputError if it ends too soon.
    """
    command = [*PROGRAM, "watch", "--camera", str(video), "--json", *network.words]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        seen, cpu, start, now, cpu_now = 0, 0.0, 0.0, 0.0, 0.0
        for line in process.stdout:
            if "label" not in json.loads(line):
                continue
            seen += 1
            if seen == _AHEAD:
                cpu, start = cpu_seconds(process.pid), time.monotonic()
            elif seen > _AHEAD and seen % _AHEAD == 0:
                cpu_now, now = cpu_seconds(process.pid), time.monotonic()
        told = process.stderr.read()
    if seen < 2 * _AHEAD:
        raise OutputError(f"watch ended after {seen} verdicts: {told}")
    frames = seen // _AHEAD * _AHEAD - _AHEAD
    return {"fps": frames / (now - start), "cpu_ms": 1000 * (cpu_now - cpu) / frames}


def _invoke(network: Network) -> dict[str, float]:
    with network.open() as classifier:
        spec = classifier.manifest.preprocessing
        pixels = np.zeros((1, spec.height, spec.width, 3), np.uint8)
        classifier.backend.run(pixels)
        runs, start, cpu = 0, time.monotonic(), time.process_time()
        while (now := time.monotonic()) < start + _ALONE:
            classifier.backend.run(pixels)
            runs += 1
        cpu_ms = 1000 * (time.process_time() - cpu) / runs
    return {"fps": runs / (now - start), "cpu_ms": cpu_ms}


def _decode(video: Path) -> dict[str, float]:
    import av

    with av.open(str(video)) as container:
        start, cpu = time.monotonic(), time.process_time()
        frames = sum(1 for _ in container.decode(video=0))
        cpu_ms = 1000 * (time.process_time() - cpu) / frames
        return {"fps": frames / (time.monotonic() - start), "cpu_ms": cpu_ms}


def both(video: Path, network: Network) -> dict[str, float]:
    """The same of decoding and invoking, overlapped; the network always gets the same pixels."""
    import av

    decoded: queue.Queue[object] = queue.Queue(_DEPTH)

    def decode() -> None:
        with av.open(str(video)) as container:
            for picture in container.decode(video=0):
                decoded.put(picture)
        decoded.put(None)

    with network.open() as classifier:
        spec = classifier.manifest.preprocessing
        pixels = np.zeros((1, spec.height, spec.width, 3), np.uint8)
        thread = threading.Thread(target=decode)
        thread.start()
        frames, start, cpu = 0, 0.0, 0.0
        while decoded.get() is not None:
            classifier.backend.run(pixels)
            frames += 1
            if frames == _AHEAD:
                start, cpu = time.monotonic(), time.process_time()
        seconds, cpu = time.monotonic() - start, time.process_time() - cpu
        thread.join()
    frames -= _AHEAD
    return {"fps": frames / seconds, "cpu_ms": 1000 * cpu / frames}


@click.command(cls=Command)
@click.option("--frames", type=click.IntRange(min=90), default=900, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--model", type=click.Path(path_type=Path), help="[default: the default model]")
@click.option("--kernels", type=click.Choice(KERNELS), default=KERNELS[0], show_default=True)
def main(frames: int, rounds: int, threads: int, model: Path | None, kernels: str) -> None:
    """Measure watch over a 1080p recording against the network alone, in turn."""
    cores, network = len(os.sched_getaffinity(0)), Network(threads, model, kernels)
    found: dict[str, list[dict[str, float]]] = {
        "watch": [], "both": [], "invoke": [], "decode": [],
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "surface.mp4"
        write_video(video, frames)
        size = video.stat().st_size
        print(
            f"{frames} frames of 1920x1080, {size / 1e6:.1f} MB; {threads} threads, {cores} cores"
        )
        for _ in range(rounds):
            for name, measured in (
                ("watch", watched(video, network)),
                ("both", both(video, network)),
                ("invoke", _invoke(network)),
                ("decode", _decode(video)),
            ):
                found[name].append(measured)
                print(f"{name}: {_said(measured)}", flush=True)
    _tell(found, cores)


def _said(measured: Found) -> str:
    return f"{measured['fps']:.0f} a second, {measured['cpu_ms']:.2f} ms of processor time each"


def _tell(found: Mapping[str, list[dict[str, float]]], cores: int) -> None:
    middle = {
        name: {key: statistics.median(one[key] for one in all_) for key in ("fps", "cpu_ms")}
        for name, all_ in found.items()
    }
    for name, values in middle.items():
        print(f"{name}, median: {_said(values)}")
    for name in ("invoke", "both"):
        ratios = [w["fps"] / o["fps"] for w, o in zip(found["watch"], found[name], strict=True)]
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        print(f"watch / {name}: {statistics.median(ratios):.2f} ({spread})")
    most = bound(cores, middle["decode"]["cpu_ms"] / 1000, middle["invoke"]["cpu_ms"] / 1000)
    print(f"at most {most:.0f} on {cores} cores, by processor time")


if __name__ == "__main__":
    main()
