"""The run that training goes on from: its network taken apart, and the photos it knew."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from corrosion_edge.errors import DataError
from corrosion_edge.trainer.load import Splits, load
from corrosion_edge.trainer.model import Parts
from corrosion_edge.trainer.model import load as load_model
from corrosion_edge.trainer.run import Run

__all__ = ["Parent", "load_old", "open_parent"]

_CARRIED = ("recipe", "backbone", "weights", "command", "finished_at", "seed", "chosen", "from")


@dataclass(frozen=True, slots=True, eq=False)
class Parent:
    """A run to start from; ``weights`` are the network's as it was delivered.

    ``sha256`` is that of its model file.
    """

    run: Run
    parts: Parts
    weights: tuple[npt.NDArray[np.float32], ...]
    sha256: str

    def restore(self) -> None:
        """Put the run's own weights back into the network."""
        self.parts.model.set_weights(list(self.weights))

    def describe(self) -> dict[str, Any]:
        """Plain values: which run it was, and how it came about."""
        info = self.run.info
        return {
            "folder": self.run.folder.resolve().name,
            "model_sha256": self.sha256,
            "data_fingerprint": info["data"]["fingerprint"],
            **{name: info[name] for name in _CARRIED if name in info},
        }


def open_parent(folder: Path) -> Parent:
    """Open a run's folder (DataError if it is none, or its network was not made by 'train')."""
    run = Run.open(folder)
    model = load_model(run.model)
    parts = _parts(run.model, model)
    digest = hashlib.sha256(run.model.read_bytes()).hexdigest()
    return Parent(run, parts, tuple(model.get_weights()), digest)


def _parts(path: Path, model: keras.Model) -> Parts:
    """The backbone and the head of a model that ``assemble`` made."""
    backbones = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    pools = [layer for layer in model.layers if layer.name in ("avg_pool", "max_pool")]
    names = {layer.name for layer in model.layers}
    if len(backbones) != 1 or len(pools) != 1 or not {"dropout", "corrosion"} <= names:
        raise DataError(f"{path}: expected a model of 'corrosion-edge train', got {sorted(names)}")
    features = keras.Model(model.inputs, pools[0].output, name="features")
    return Parts(model, backbones[0], features, model)


def load_old(run: Run, folder: Path) -> Splits:
    """The photos that a run was trained on, in its own splits.

    Raises DataError if ``folder`` does not hold the very same ones: what was forgotten could not
    be told then.
    """
    data = run.info["data"]
    found = load(
        folder,
        run.preprocessing,
        positive=data["classes"]["corrosion"],
        seed=run.info["seed"],
        split="given" if data["split"] == "given" else "grouped",
    )
    if (got := found.describe()["fingerprint"]) != data["fingerprint"]:
        raise DataError(
            f"--old: {folder} holds other photos than those of {run.folder} (fingerprint "
            f"{got[:12]}, expected {data['fingerprint'][:12]}); name the folder that run was "
            f"trained on, it was called {data['folder']!r}"
        )
    return found
