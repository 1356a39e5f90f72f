"""A network's folder of model files, as the parent sees it; ``prepare`` fills it."""

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from corrosion_edge import errors
from corrosion_edge.benchmarks.peers.pictures import Pictures
from corrosion_edge.benchmarks.peers.running import environment
from corrosion_edge.bundle import Bundle
from corrosion_edge.progress import say

__all__ = ["DEFAULT", "MADE", "Network", "filled", "network"]

DEFAULT: Final = "default"
"""The name of the model that ships in the package; its float original does not ship."""

MADE: Final = "made.json"
"""Tells what is in a folder, and why the rest is not."""


@dataclass(frozen=True, slots=True)
class Network:
    """A network's files, and why some are absent; ``prepared`` are its prepared pictures."""

    name: str
    trained: bool
    folder: Path
    absent: Mapping[str, str]
    prepared: Path


def filled(name: str, folder: Path, rigs: Path) -> Path:
    """Let a process of its own make what is not there: it needs TensorFlow, this one does not.

    Raises its error: UsageError for an unknown name, BackendError if a conversion failed.
    """
    say(f"{name}: making what is not yet in {folder}")
    done = subprocess.run(
        [sys.executable, "-m", f"{__package__}.prepare", name, str(folder)],
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
    spec = Bundle.load(folder / "int8.tflite").manifest.preprocessing
    prepared = pictures.prepared(spec, scratch / f"{made['network']}.npy")
    return Network(made["network"], made["trained"], folder, made["absent"], prepared)


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
