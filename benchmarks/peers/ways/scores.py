"""What ways share that hand a Pillow picture over and get an array of scores back."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from corrosion_edge.prediction import CORROSION, LABELS

__all__ = ["opened", "real", "rgb", "shrunk", "verdict"]

_STEP = 1 / 256  # of an integer model's scores


def opened(path: Path, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Open and resize as examples do, with Pillow's own filter: uint8 [h, w, 3]."""
    return np.asarray(Image.open(path).convert("RGB").resize(size))


def rgb(picture: Any) -> npt.NDArray[np.uint8]:
    """A decoded picture of PyAV as uint8 [h, w, 3] RGB, as its examples convert it."""
    return np.asarray(picture.to_ndarray(format="rgb24"), np.uint8)


def shrunk(pixels: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """The same of a picture in memory, uint8 [h, w, 3] RGB."""
    return np.asarray(Image.fromarray(pixels).resize(size))


def real(output: Any) -> Any:
    """Scores of an integer model as real numbers, those of another as they are."""
    return output * _STEP if output.dtype == np.uint8 else output


def verdict(scores: Any) -> tuple[str, float]:
    """The label of the greatest of two scores, and that of corrosion."""
    values = np.asarray(scores).reshape(-1)
    return LABELS[int(values.argmax())], float(values[LABELS.index(CORROSION)])
