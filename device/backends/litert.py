"""LiteRT on the CPU: ai-edge-litert first, then its predecessor tflite-runtime."""

import importlib
import importlib.metadata
import os
from types import ModuleType
from typing import Any, Final

from corrosion_edge.bundle import Bundle
from corrosion_edge.device.backends.interpreting import Interpreting
from corrosion_edge.device.kernels import KERNELS
from corrosion_edge.errors import BackendError, ExtraError
from corrosion_edge.network.graph import Graph
from corrosion_edge.network.sound import require_sound

__all__ = ["RUNTIMES", "LiteRtBackend", "find_runtime", "thread_count", "usable_cores"]

RUNTIMES: Final = (
    ("ai_edge_litert.interpreter", "ai-edge-litert"),
    ("tflite_runtime.interpreter", "tflite-runtime"),
)
"""Module and distribution of each runtime, best first."""


def usable_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0))


def find_runtime() -> tuple[ModuleType, str]:
    """The first runtime that is installed, and its name with version (ExtraError if none)."""
    for module, distribution in RUNTIMES:
        try:
            runtime = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name not in (module, module.split(".")[0]):
                raise  # the runtime is there, but something it needs is not
            continue
        return runtime, f"{distribution} {importlib.metadata.version(distribution)}"
    raise ExtraError("no TFLite runtime is installed; run: pip install 'corrosion-edge[device]'")


class LiteRtBackend(Interpreting):
    """A bundle's network in LiteRT's interpreter, on the CPU.

    ``threads`` is 1 or more, None for all usable cores; ``kernels`` one of ``KERNELS``. Raises
    BundleError if the network could end the process, as a runtime trusts what it is given;
    BackendError for a network that was compiled for the Edge TPU, and as ``Interpreting``.
    """

    def __init__(
        self, bundle: Bundle, *, threads: int | None = None, kernels: str = KERNELS[0]
    ) -> None:
        runtime, version = find_runtime()
        count, resolver = thread_count(threads), _resolver(runtime, kernels)
        _require_for_cpu(require_sound(bundle.model), bundle)
        name = f"{version}, CPU, {count} thread{'s' if count > 1 else ''}"
        name += ", built-in kernels" if kernels == "builtin" else ""
        super().__init__(
            bundle,
            name,
            lambda: runtime.Interpreter(
                model_content=bundle.model,
                num_threads=count,
                experimental_op_resolver_type=resolver,
            ),
        )

    @property
    def xnnpack(self) -> bool | None:
        """Whether XNNPACK took any of the network's operators; None where no runtime tells.

        The interpreter lists a delegate's share as an operator of its own, and no other delegate
        was given to it.
        """
        listed = getattr(self._interpreter, "_get_ops_details", None)
        return None if listed is None else any(op["op_name"] == "DELEGATE" for op in listed())


def thread_count(threads: int | None) -> int:
    """The number of threads asked for, or that of the usable cores (ValueError below 1)."""
    count = usable_cores() if threads is None else threads
    if count < 1:
        raise ValueError(f"threads: expected 1 or more, got {count}")
    return count


def _resolver(runtime: ModuleType, kernels: str) -> Any:
    """How the runtime finds kernels: with its default delegate, which is XNNPACK, or without."""
    if kernels not in KERNELS:
        raise ValueError(f"kernels: expected one of {', '.join(KERNELS)}, got {kernels!r}")
    types = runtime.OpResolverType
    return types.BUILTIN_WITHOUT_DEFAULT_DELEGATES if kernels == "builtin" else types.AUTO


def _require_for_cpu(graph: Graph, bundle: Bundle) -> None:
    if not graph.compiled:
        return
    told = bundle.manifest.compiled
    source = f"{told.source}, the model file" if told and told.source else "the model file"
    raise BackendError(
        "the network is compiled for the Edge TPU, and runs only with one and its delegate "
        f"(libedgetpu), not on the CPU; use {source} that it was compiled from"
    )
