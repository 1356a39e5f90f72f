"""ONNX Runtime on int8 networks: ``python -m corrosion_edge.benchmarks.peers.joins MODEL``.

Why ONNX files here have unsigned activations: processor time of a run with them, as tf2onnx
leaves the network, and with int8 joined by the session's option. Needs the rig ``peers``.
"""

from pathlib import Path
from statistics import median
from time import process_time_ns
from typing import Any, Final

import click
import numpy as np

from corrosion_edge.benchmarks.peers.onnx_files import converted, unsigned
from corrosion_edge.bundle import Bundle
from corrosion_edge.cli import Command
from corrosion_edge.errors import ExtraError

__all__ = ["main", "measured"]

_LEAD, _RUNS = 5, 30
_JOINED: Final = {"session.qdqisint8allowed": "1"}


def measured(model: Path) -> dict[str, float]:
    """Milliseconds of a run's processor time on one thread, by what was done to the network.

    ExtraError where the rig is missing; raises as ``Bundle.load``.
    """
    spec = Bundle.load(model).manifest.preprocessing
    picture = np.zeros((1, spec.height, spec.width, 3), np.uint8)
    try:
        left = converted(model)
        signed = left.SerializeToString()
        moved = unsigned(left).SerializeToString()
        return {
            "activations unsigned": _run_ms(moved, picture, {}),
            "as tf2onnx leaves it": _run_ms(signed, picture, {}),
            "int8 joined by the session": _run_ms(signed, picture, _JOINED),
        }
    except ModuleNotFoundError as error:
        raise ExtraError(
            f"the package {error.name} is not installed; run tests/rigs/peers.sh, and put its "
            "folder peers/site on PYTHONPATH"
        ) from None


def _run_ms(content: bytes, picture: Any, settings: dict[str, str]) -> float:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    for name, value in settings.items():
        options.add_session_config_entry(name, value)
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    given, took = {session.get_inputs()[0].name: picture}, []
    for _ in range(_LEAD + _RUNS):
        start = process_time_ns()
        session.run(["scores"], given)
        took.append(process_time_ns() - start)
    return median(took[_LEAD:]) / 1e6


@click.command(cls=Command)
@click.argument("model", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def main(model: Path) -> None:
    """Tell how long ONNX Runtime takes for MODEL, an int8 model file of quantize."""
    for what, took in measured(model).items():
        click.echo(f"{what}: {took:.1f} ms")


if __name__ == "__main__":
    main()
