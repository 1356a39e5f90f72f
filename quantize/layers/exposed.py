"""Every tensor of an int8 network as the device's own runtime computes it.

LiteRT runs int8 networks with XNNPACK, which keeps what lies between its operators to itself: the
interpreter's ``experimental_preserve_all_tensors`` shows stale values there, or, without
XNNPACK, other kernels' values, which differ by a step here and there and so take another way. Here
every tensor is made an output of the network, so XNNPACK must deliver it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from corrosion_edge.closing import Closing
from corrosion_edge.device.backends.litert import find_runtime, usable_cores
from corrosion_edge.errors import BackendError
from corrosion_edge.quantize.flatbuffer import pack, unpack
from corrosion_edge.quiet import quiet

__all__ = ["Exposed", "exposed"]

Array = npt.NDArray[Any]


def exposed(model: bytes) -> bytes:
    """The same network with what every operator gives among its outputs; tensors keep places."""
    net = unpack(model)
    graph = net.subgraphs[0]
    own = [int(place) for place in graph.outputs]
    made = [int(place) for op in graph.operators for place in op.outputs]
    graph.outputs = np.array(own + [place for place in made if place not in own], np.int32)
    net.signatureDefs = None
    return pack(net)


class Exposed(Closing):
    """An int8 network in LiteRT's interpreter with all tensors to be read, on the CPU.

    Raises BackendError if the runtime refuses the model, or its input is not uint8.
    """

    def __init__(self, model: bytes, places: Mapping[int, int]) -> None:
        self._places = places
        runtime, _ = find_runtime()
        try:
            with quiet():
                self._interpreter: Any = runtime.Interpreter(
                    model_content=exposed(model), num_threads=usable_cores()
                )
                self._interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            raise BackendError(f"INT8: the runtime refuses the model ({error})") from None
        self._input = self._interpreter.get_input_details()[0]
        if self._input["dtype"] != np.uint8:
            kind = self._input["dtype"].__name__
            raise BackendError(f"INT8: expected an input of uint8 pixels, got {kind}")

    def run(self, picture: npt.NDArray[np.uint8]) -> dict[int, Array]:
        """The tensors [1, ...] for a picture, uint8 [h, w, 3], by their numbers in ``places``."""
        try:
            self._interpreter.set_tensor(self._input["index"], picture[None])
            self._interpreter.invoke()
        except (RuntimeError, ValueError) as error:
            raise BackendError(f"INT8: the runtime failed ({error})") from None
        return {n: self._interpreter.get_tensor(place) for n, place in self._places.items()}

    def close(self) -> None:
        """Drop the interpreter."""
        self._interpreter = None
