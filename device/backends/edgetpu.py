"""LiteRT with the Edge TPU's delegate, for networks that were compiled for it."""

import threading
from typing import Final

from corrosion_edge.bundle import Bundle
from corrosion_edge.device.accelerator.delegate import Delegate
from corrosion_edge.device.backends.interpreting import Interpreting
from corrosion_edge.device.backends.litert import find_runtime, thread_count
from corrosion_edge.errors import BackendError
from corrosion_edge.network.graph import COMPILED, Graph
from corrosion_edge.network.sound import require_sound

__all__ = ["EdgeTpuBackend", "in_use", "require_compiled"]

_lock: Final = threading.Lock()
_open: Final[set[int]] = set()


def in_use() -> bool:
    """Whether this process holds an accelerator: another one cannot try it meanwhile."""
    with _lock:
        return bool(_open)


def require_compiled(bundle: Bundle) -> Graph:
    """The bundle's network, checked (BundleError); BackendError if it was not compiled.

    A delegate takes nothing of such a network, and all of it would run on the CPU.
    """
    graph = require_sound(bundle.model)
    if not graph.compiled:
        raise BackendError(
            "the network is not compiled for the Edge TPU, and would run on the CPU; use "
            "--accelerator cpu, or a model file of 'corrosion-edge bundle compiled'"
        )
    return graph


class EdgeTpuBackend(Interpreting):
    """A bundle's compiled network in LiteRT's interpreter, on the Edge TPU.

    What the compiler left to the CPU runs there, on so many ``threads`` (None: all usable cores).
    Raises BackendError where the delegate cannot be loaded, has no device, or does not take the
    compiled part, and for a network that was not compiled; BundleError for one that is not sound.
    Loading may hang or end the process: see ``Probe``.
    """

    def __init__(self, bundle: Bundle, delegate: Delegate, *, threads: int | None = None) -> None:
        graph = require_compiled(bundle)
        runtime, version = find_runtime()
        count = thread_count(threads)
        loaded = delegate.load(runtime)
        name = f"{version}, {_named(delegate, graph)}"
        super().__init__(
            bundle,
            name,
            lambda: runtime.Interpreter(
                model_content=bundle.model, num_threads=count, experimental_delegates=[loaded]
            ),
        )
        with _lock:
            _open.add(id(self))

    def close(self) -> None:
        """Drop the interpreter, and with it the delegate and the device."""
        super().close()
        with _lock:
            _open.discard(id(self))


def _named(delegate: Delegate, graph: Graph) -> str:
    version = delegate.version()
    left = sum(op.custom != COMPILED for op in graph.ops)
    told = f"{delegate}, its runtime {version}" if version else str(delegate)
    return f"{told}, {left} operators on the CPU" if left else told
