"""A network's folder of model files, as the parent sees it; ``prepare`` fills it."""

import json
import signal
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from corrosion_edge import errors
from corrosion_edge.benchmarks.peers.pictures import Pictures
from corrosion_edge.benchmarks.peers.running import environment
from corrosion_edge.bundle import Bundle
from corrosion_edge.progress import say

__all__ = ["DEFAULT", "INT8", "MADE", "Network", "filled", "network"]

DEFAULT: Final = "default"
"""The name of the model that ships in the package; its float files have random weights."""

INT8: Final = "int8.tflite"
"""The model file that we, LiteRT, MediaPipe and OpenVINO run."""

MADE: Final = "made.json"
"""Tells what is in a folder, and why the rest is not."""


@dataclass(frozen=True, slots=True)
class Network:
    """A network's files, and why some are absent; ``prepared`` are its prepared pictures.

    ``converted`` says how its int8 file was made, ``random`` which files have random weights.
    """

    name: str
    folder: Path
    absent: Mapping[str, str]
    prepared: Path
    converted: str = ""
    random: Collection[str] = ()


def filled(name: str, folder: Path, rigs: Path, wanted: Iterable[str]) -> Path:
    """Let a process of its own make the ``wanted`` files that are not there.

    It needs TensorFlow, this one does not.

    Raises its error: UsageError for an unknown name, BackendError if a conversion failed.
    """
    say(f"{name}: making what is not yet in {folder}")
    done = subprocess.run(
        [sys.executable, "-m", f"{__package__}.prepare", name, str(folder), *wanted],
        env=environment(rigs, "peers"),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise _failure(name, done)
    return folder


def network(folder: Path, pictures: Pictures, scratch: Path) -> Network:
    """A filled folder's network, its prepared pictures written into ``scratch``."""
    made = json.loads((folder / MADE).read_text())
    spec = Bundle.load(folder / INT8).manifest.preprocessing
    prepared = pictures.prepared(spec, scratch / f"{made['network']}.npy")
    return Network(made["network"], folder, made["absent"], prepared, made["converted"],
                   made["random"])  # fmt: skip


def _failure(name: str, done: subprocess.CompletedProcess[str]) -> errors.CorrosionEdgeError:
    if done.returncode < 0:
        by = signal.Signals(-done.returncode).name
        why = ", as the system does when memory runs out" if by == "SIGKILL" else ""
        return errors.BackendError(f"{name}: its files could not be made (ended by {by}{why})")
    last = (done.stderr.strip().splitlines() or ["no word"])[-1]
    try:
        error = json.loads(last)
    except ValueError:
        return errors.BackendError(f"{name}: its files could not be made ({last[:300]})")
    kind: type[errors.CorrosionEdgeError] = getattr(errors, error["error"])
    return kind(error["message"])
