"""Saving training between two epochs, so that a killed run loses one epoch at most."""

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corrosion_edge import output
from corrosion_edge.errors import DataError

__all__ = ["State", "load_state", "save_state"]

Array = npt.NDArray[Any]
Row = dict[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Training after some epochs: what going on from there needs.

    ``epoch`` counts the epochs done, ``history`` has their rows. ``arrays`` are the values of the
    network, of the optimiser and of the averaged weights, in this order.
    """

    epoch: int
    history: tuple[Row, ...]
    arrays: tuple[Array, ...]


def save_state(path: Path, state: State) -> None:
    """Write a state atomically, as a .npz of plain arrays (OutputError if that fails)."""
    stream = io.BytesIO()
    head = json.dumps({"epoch": state.epoch, "history": state.history})
    np.savez(stream, *state.arrays, head=np.array(head))
    output.write(path, stream.getvalue())


def load_state(path: Path) -> State:
    """Read a state back without unpickling (DataError if the file is none)."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            head = json.loads(str(archive["head"]))
            arrays = tuple(archive[f"arr_{i}"] for i in range(len(archive.files) - 1))
        return State(int(head["epoch"]), tuple(head["history"]), arrays)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not a saved state of training ({error}); remove it") from None
