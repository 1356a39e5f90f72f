"""A network's variables by name, and filling them from arrays."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from corrosion_edge.errors import WeightsError

__all__ = ["fill", "require_finite", "values", "variables"]


def variables(network: keras.Model) -> dict[str, Any]:
    """The network's Keras variables by ``layer/variable``, as our files name them.

    A normalisation layer is called ``normalization`` in all networks, where Keras numbers it on;
    its counter is left out, as nothing uses it.
    """
    found = {}
    for layer in network.layers:
        adapted = isinstance(layer, keras.layers.Normalization)
        for variable in layer.weights:
            if not (adapted and variable.name == "count"):
                name = "normalization" if adapted else layer.name
                found[f"{name}/{variable.name}"] = variable
    return found


def values(network: keras.Model) -> dict[str, npt.NDArray[np.float32]]:
    """Copies of the values of ``variables``."""
    return {key: np.array(v.numpy(), np.float32) for key, v in variables(network).items()}


def fill(network: keras.Model, arrays: Mapping[str, npt.NDArray[Any]], path: Path) -> None:
    """Assign arrays by ``layer/variable``; ``path`` names their file in errors.

    Every variable must be there, as float32 in its shape, finite, and no other: else WeightsError
    names the first that is not, and the network keeps its values.
    """
    wanted = variables(network)
    for key, variable in wanted.items():
        if problem := _problem(key, arrays.get(key), tuple(variable.shape)):
            raise WeightsError(f"{path}: not the weights of {network.name}: {problem}")
    if unknown := sorted(set(arrays) - set(wanted)):
        raise WeightsError(f"{path}: not the weights of {network.name}: {unknown[0]!r} is unknown")
    require_finite(arrays, path)
    for key, variable in wanted.items():
        variable.assign(arrays[key])
    for layer in network.layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


def require_finite(arrays: Mapping[str, npt.NDArray[Any]], path: Path) -> None:
    """WeightsError if an array holds NaN or infinity."""
    for key, array in arrays.items():
        if not np.isfinite(array).all():
            raise WeightsError(f"{path}: {key!r} holds values that are no finite numbers")


def _problem(key: str, array: npt.NDArray[Any] | None, shape: tuple[int, ...]) -> str | None:
    if array is None:
        return f"{key!r} is missing"
    if array.shape != shape:
        return f"{key!r} has shape {array.shape}, expected {shape}"
    if array.dtype != np.float32:
        return f"{key!r} is {array.dtype}, expected float32"
    return None
