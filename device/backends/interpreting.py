"""What all of LiteRT's backends share: one network in an interpreter, its input and outputs."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from corrosion_edge.bundle import Bundle
from corrosion_edge.closing import Closing
from corrosion_edge.device.backends import Output, Quantized, Real
from corrosion_edge.errors import BackendError
from corrosion_edge.precision import output_dtype
from corrosion_edge.quiet import quiet

__all__ = ["Interpreting", "runtime_errors"]

_SHAPES: Final[dict[str, list[int | None]]] = {"scores": [1, 2], "map": [1, None, None, 1]}
"""Shapes of the outputs; None stands for any size."""

_KINDS: Final = {"integer": np.integer, "float32": np.float32}


class Interpreting(Closing):
    """A bundle's network in the interpreter that ``make`` gives, called ``name``.

    Raises BackendError if the runtime refuses the model, or its input or outputs are not what the
    manifest says.
    """

    def __init__(self, bundle: Bundle, name: str, make: Callable[[], Any]) -> None:
        self.name = name
        with runtime_errors("the runtime refuses the model"), quiet():
            self._interpreter = make()
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
        with runtime_errors("the runtime failed"):
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


def _fits(shape: list[int], expected: list[int | None]) -> bool:
    return len(shape) == len(expected) and all(
        want in (None, got) for want, got in zip(expected, shape, strict=True)
    )


@contextlib.contextmanager
def runtime_errors(what: str) -> Iterator[None]:
    """Turn what a runtime raises into BackendError."""
    try:
        yield
    except (RuntimeError, ValueError, AttributeError, MemoryError) as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise BackendError(f"{what} ({said})") from None
