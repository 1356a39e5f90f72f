"""Where our time goes: ``python -m corrosion_edge.benchmarks.peers.parts MODEL.tflite...``.

Processor time of the parts of opening a model file, of taking a run's outputs, and of whole runs
beside plain LiteRT's in fresh processes: what stands behind two of the ratios of the peers.
"""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from time import process_time_ns
from typing import Final

import click
import numpy as np

from corrosion_edge.benchmarks.peers.ratio import Ratio, ratio
from corrosion_edge.benchmarks.peers.running import Running, rigs_folder
from corrosion_edge.benchmarks.peers.table import OURS, PEERS, Peer
from corrosion_edge.bundle import Bundle, naming
from corrosion_edge.cli import Command
from corrosion_edge.device.backends.litert import find_runtime
from corrosion_edge.modelfile.container import MAX_FILE, Container
from corrosion_edge.modelfile.reading import read_regular
from corrosion_edge.network.sound import require_sound

__all__ = ["fetching", "main", "opening", "paired"]

_TIMES: Final = 9
_FETCHES: Final = 500
_LEAD, _RUNS = 5, 60
_PLAIN: Final = next(peer for peer in PEERS if peer.name == "litert")


def opening(path: Path) -> dict[str, float]:
    """Milliseconds of each part of ``Classifier.open``, medians (BundleError, without a path)."""
    content = read_regular(path, MAX_FILE)[0]
    container = Container.from_bytes(content)
    model = container.model
    runtime, _ = find_runtime()
    parts: Mapping[str, Callable[[], object]] = {
        "read the file": lambda: read_regular(path, MAX_FILE),
        "take it apart": lambda: Container.from_bytes(content),
        "SHA-256 and manifest": lambda: Bundle.from_container(container),
        "check the network": lambda: require_sound(model),
        "the interpreter": lambda: runtime.Interpreter(
            model_content=model, num_threads=1
        ).allocate_tensors(),
    }
    return {name: _cpu_ms(part, _TIMES) for name, part in parts.items()}


def fetching(path: Path) -> dict[str, float]:
    """Milliseconds of taking each output after a run, by its name."""
    bundle = Bundle.from_bytes(path.read_bytes())
    spec = bundle.manifest.preprocessing
    runtime, _ = find_runtime()
    interpreter = runtime.Interpreter(model_content=bundle.model, num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(
        interpreter.get_input_details()[0]["index"],
        np.zeros((1, spec.height, spec.width, 3), np.uint8),
    )
    interpreter.invoke()
    places = {out["name"]: out["index"] for out in interpreter.get_output_details()}
    return {name: _cpu_ms(lambda at=place: interpreter.get_tensor(at), _FETCHES)  # type: ignore[misc]
            for name, place in places.items()}  # fmt: skip


def paired(path: Path, pairs: int) -> Ratio:
    """Plain LiteRT's processor time of a run by ours, each time in two fresh processes.

    In turn which is first. Raises as ``Running.ask``.
    """
    spec = Bundle.from_bytes(path.read_bytes()).manifest.preprocessing
    with tempfile.TemporaryDirectory(prefix="corrosion-edge-") as folder:
        prepared = Path(folder, "noise.npy")
        shape = (1, spec.height, spec.width, 3)
        np.save(prepared, np.random.default_rng(0).integers(0, 256, shape, np.uint8))
        took: dict[Peer, list[float]] = {OURS: [], _PLAIN: []}
        for turn in range(pairs):
            for peer in (OURS, _PLAIN) if turn % 2 else (_PLAIN, OURS):
                took[peer].append(_fresh(peer, path, prepared))
    return ratio(took[_PLAIN], took[OURS])


def _fresh(peer: Peer, model: Path, prepared: Path) -> float:
    """Nanoseconds of processor time of a run."""
    with Running(peer, rigs_folder()) as process:
        process.ask("open", model=str(model), threads=1)
        places = [0] * (_LEAD + _RUNS)
        answer = process.ask("invoke", prepared=str(prepared), pictures=places, lead=_LEAD)
    return float(answer["cpu_ns"]) / _RUNS


def _cpu_ms(part: Callable[[], object], times: int) -> float:
    took = []
    for _ in range(times):
        start = process_time_ns()
        part()
        took.append(process_time_ns() - start)
    return median(took) / 1e6


@click.command(cls=Command)
@click.argument("models", nargs=-1, required=True, metavar="MODEL...",
                type=click.Path(path_type=Path, exists=True, dir_okay=False))  # fmt: skip
@click.option("--pairs", type=click.IntRange(1, 1000), default=15, show_default=True,
              help="Fresh processes of ours and of plain LiteRT.")  # fmt: skip
def main(models: tuple[Path, ...], pairs: int) -> None:
    """Tell for each MODEL (a model file of quantize) where our processor time goes."""
    for path in models:
        with naming(path):
            _tell(path, pairs)


def _tell(path: Path, pairs: int) -> None:
    opened = opening(path)
    click.echo(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")
    for name, took in opened.items():
        click.echo(f"  opening, {name}: {took:.1f} ms")
    for name, took in fetching(path).items():
        click.echo(f"  after a run, taking {name}: {1000 * took:.1f} µs")
    click.echo(f"  a run, plain LiteRT by ours, {pairs} pairs: {paired(path, pairs)}")


if __name__ == "__main__":
    main()
