"""LiteRT on the CPU: ai-edge-litert first, then its predecessor tflite-runtime."""

import contextlib
import importlib
import importlib.metadata
import os
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from corrosion_edge.bundle import Bundle
from corrosion_edge.closing import Closing
from corrosion_edge.device.backends import Output, Quantized, Real
from corrosion_edge.errors import BackendError, ExtraError
from corrosion_edge.network.graph import Graph
from corrosion_edge.network.sound import require_sound
from corrosion_edge.precision import output_dtype
from corrosion_edge.quiet import quiet

__all__ = ["RUNTIMES", "LiteRtBackend", "find_runtime", "usable_cores"]

RUNTIMES: Final = (
    ("ai_edge_litert.interpreter", "ai-edge-litert"),
    ("tflite_runtime.interpreter", "tflite-runtime"),
)
"""Module and distribution of each runtime, best first."""

_SHAPES: Final[dict[str, list[int | None]]] = {"scores": [1, 2], "map": [1, None, None, 1]}
"""Shapes of the outputs; None stands for any size."""

_KINDS: Final = {"integer": np.integer, "float32": np.float32}


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


class LiteRtBackend(Closing):
    """A bundle's network in LiteRT's interpreter, on the CPU with XNNPACK.

    ``threads`` is 1 or more, None for all usable cores. Raises BundleError if the network could
    end the process, as a runtime trusts what it is given; BackendError if the runtime refuses
    the model or its input or outputs are not what the manifest says, and for a network that was
    compiled for the Edge TPU.
    """

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        runtime, version = find_runtime()
        count = usable_cores() if threads is None else threads
        if count < 1:
            raise ValueError(f"threads: expected 1 or more, got {count}")
        _require_for_cpu(require_sound(bundle.model), bundle)
        self.name = f"{version}, CPU, {count} thread{'s' if count > 1 else ''}"
        with _runtime_errors("the runtime refuses the model"), quiet():
            self._interpreter: Any = runtime.Interpreter(
                model_content=bundle.model, num_threads=count
            )
            self._interpreter.allocate_tensors()
        self._input = self._find_input(bundle)
        self._outputs = self._find_outputs(bundle)

    def run(self, pixels: npt.NDArray[np.uint8]) -> Mapping[str, Output]:
        """Run one picture; see ``Backend.run``. The arrays returned are the caller's own."""
        expected = tuple(self._input["shape"])
        if pixels.dtype != np.uint8 or pixels.shape != expected:
            raise ValueError(
                f"pixels: expected uint8 {list(expected)}, got {pixels.dtype} {list(pixels.shape)}"
            )
        with _runtime_errors("the runtime failed"):
            self._interpreter.set_tensor(self._input["index"], pixels)
            self._interpreter.invoke()
            return {name: self._fetch(details) for name, details in self._outputs.items()}

    def close(self) -> None:
        """Drop the interpreter; afterwards ``run`` fails."""
        self._interpreter = None

    def _fetch(self, details: Mapping[str, Any]) -> Output:
        values = self._interpreter.get_tensor(details["index"])
        if details["dtype"] == np.float32:
            return Real(values)
        scale, zero_point = details["quantization"]
        return Quantized(values, scale, zero_point)

    def _find_input(self, bundle: Bundle) -> Mapping[str, Any]:
        spec = bundle.manifest.preprocessing
        expected = [1, spec.height, spec.width, 3]
        inputs = self._interpreter.get_input_details()
        if (
            len(inputs) != 1
            or inputs[0]["dtype"] != np.uint8
            or list(inputs[0]["shape"]) != expected
        ):
            got = [(i["dtype"].__name__, i["shape"].tolist()) for i in inputs]
            raise BackendError(f"the model's input: expected uint8 {expected}, got {got}")
        details: Mapping[str, Any] = inputs[0]
        return details

    def _find_outputs(self, bundle: Bundle) -> dict[str, Mapping[str, Any]]:
        by_name = {details["name"]: details for details in self._interpreter.get_output_details()}
        wanted = bundle.manifest.outputs
        if missing := [tensor for tensor in wanted.values() if tensor not in by_name]:
            raise BackendError(f"the model has no output {missing[0]!r}, only {sorted(by_name)}")
        found = {name: by_name[tensor] for name, tensor in wanted.items()}
        for name, details in found.items():
            expected = output_dtype(bundle.manifest.precision)
            if not np.issubdtype(details["dtype"], _KINDS[expected]):
                raise BackendError(
                    f"the model's output {name!r} is not {expected}, as its manifest's precision "
                    f"{bundle.manifest.precision} says"
                )
            if name in _SHAPES and not _fits(details["shape"].tolist(), _SHAPES[name]):
                raise BackendError(
                    f"the model's output {name!r} has the shape {details['shape'].tolist()}"
                )
        return found


def _require_for_cpu(graph: Graph, bundle: Bundle) -> None:
    if not graph.compiled:
        return
    told = bundle.manifest.compiled
    source = f"{told.source}, the model file" if told and told.source else "the model file"
    raise BackendError(
        "the network is compiled for the Edge TPU, and runs only with one and its delegate "
        f"(libedgetpu), not on the CPU; use {source} that it was compiled from"
    )


def _fits(shape: list[int], expected: list[int | None]) -> bool:
    return len(shape) == len(expected) and all(
        want in (None, got) for want, got in zip(expected, shape, strict=True)
    )


@contextlib.contextmanager
def _runtime_errors(what: str) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, ValueError, AttributeError, MemoryError) as error:
        raise BackendError(f"{what} ({str(error).strip() or type(error).__name__})") from None
