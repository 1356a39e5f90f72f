"""What stands against a model as a whole: its edges, its batch, its size."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from corrosion_edge.network.graph import Tensor
from corrosion_edge.quantize.edgetpu.graph import Graph

__all__ = ["FITS", "STREAMS", "Problem", "cache_problems", "edge_problems"]

FITS: Final = 6 * 2**20
"""Bytes of parameters that fitted the on-chip cache in every log seen."""
STREAMS: Final = int(7.9 * 2**20)
"""Bytes of parameters above which some fitted in no log.

About 8 MB hold parameters and program together. Logs of the compiler show 6.2 MiB (a ResNet-18,
https://github.com/PINTO0309/openvino2tensorflow/issues/28) to 6.9 MiB (YOLOv5s, edgetpu#512) used
by models that overflowed, and 7.9 MiB free beside a tiny program (edgetpu#173).
"""

_NEEDS: Final = "https://coral.ai/docs/edgetpu/models-intro/#model-requirements"
_FLOATS: Final = "https://coral.ai/docs/edgetpu/models-intro/#float-input-and-output-tensors"
_CACHE: Final = "https://coral.ai/docs/edgetpu/compiler/#parameter-data-caching"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something about the whole model, and what to change."""

    what: str
    change: str
    source: str


def edge_problems(graph: Graph) -> list[Problem]:
    """Floats at the edge, a batch, open sizes, further subgraphs."""
    found = [p for t in graph.inputs for p in _batch(t)]
    found += [p for t in (*graph.inputs, *graph.outputs) for p in (*_float(t), *_free(t))]
    if graph.subgraphs > 1:
        what = f"the model has {graph.subgraphs} subgraphs; only the first was looked at"
        found.append(Problem(what, "export it without control flow", _NEEDS))
    return found


def cache_problems(size: int) -> list[Problem]:
    """Whether ``size`` bytes of parameters fit the cache on the chip."""
    if size <= FITS:
        return []
    verb = "do not" if size > STREAMS else "may not"
    what = (
        f"{size / 2**20:.1f} MiB of parameters {verb} fit the cache on the chip (about 8 MB with "
        "the program); the rest is sent again for every picture"
    )
    return [Problem(what, "use a smaller network", _CACHE)]


def _float(tensor: Tensor) -> Iterator[Problem]:
    if tensor.type.startswith("FLOAT"):
        yield Problem(
            f"{tensor.name!r} is {tensor.type}: the conversion to or from 8 bit runs on the CPU",
            "convert with 8-bit inputs and outputs",
            _FLOATS,
        )


def _batch(tensor: Tensor) -> Iterator[Problem]:
    if len(tensor.shape) > 1 and tensor.shape[0] > 1:
        what = f"input {tensor.name!r} takes {tensor.shape[0]} at a time"
        yield Problem(what, "convert with a fixed batch of 1", _NEEDS)


def _free(tensor: Tensor) -> Iterator[Problem]:
    if tensor.free or not tensor.fixed:
        yield Problem(
            f"{tensor.name!r} leaves a size open; the compiler takes {list(tensor.shape)}",
            "convert with a fixed batch of 1 and a fixed size",
            _NEEDS,
        )
