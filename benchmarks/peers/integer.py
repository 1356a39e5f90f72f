"""An untrained network in int8 as ``quantize`` makes it. Needs ``train``."""

import numpy as np
import numpy.typing as npt

from corrosion_edge.errors import BackendError
from corrosion_edge.quantize.convert import Conversions, finished
from corrosion_edge.quantize.ladder.arithmetic import log_odds
from corrosion_edge.quantize.ladder.ladder import Photos, ranged
from corrosion_edge.quantize.ladder.network import read

__all__ = ["integer"]


def integer(made: Conversions, pictures: npt.NDArray[np.uint8]) -> tuple[bytes, str]:
    """The finished flatbuffer, and in words how it was made; pictures are uint8 [n, h, w, 3].

    The rung ``ranges`` of ``quantize``: later ones change numbers alone, and so no latency. Where
    the ladder does not know the network it is the plain conversion, as with ``--effort plain``.
    """
    try:
        photos = Photos(
            pictures.astype(np.float32), pictures, log_odds(read(made.float_model), pictures),
            lambda epoch: pictures.astype(np.float32),
        )  # fmt: skip
        model, notes = ranged(made, photos)
    except BackendError as error:
        return finished(made.integer), f"plainly, as quantize has no more for it: {error}"
    return finished(model), f"as quantize does, input scaling folded: {notes['folded']}"
