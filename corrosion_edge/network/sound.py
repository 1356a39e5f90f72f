"""Whether a network is safe to give to a TFLite runtime.

The runtimes check the flatbuffer's offsets, and little of what the tables mean: a wrong number
of outputs, a quantization without scale or an unknown activation ends the process. So only
networks are let through in which every tensor, shape, type and quantization follows from the
one before it by a rule known here; anything else is refused with a sentence.
"""

from math import isfinite
from typing import Final

from corrosion_edge.errors import BundleError
from corrosion_edge.network.call import Call
from corrosion_edge.network.graph import Graph, Op, Tensor, read_root
from corrosion_edge.network.schema import check_schema
from corrosion_edge.network.shapes import RULES, Rule
from corrosion_edge.network.table import Buffer
from corrosion_edge.network.types import check_types
from corrosion_edge.network.used import require_used

__all__ = ["MAX_MEMORY", "MAX_MULTIPLICATIONS", "MAX_SCRATCH", "MAX_TENSOR", "require_sound"]

MAX_TENSOR: Final = 256 * 2**20
"""Largest tensor, in bytes."""

MAX_SCRATCH: Final = 2**30
"""Most bytes that an operator may need beside its tensors."""

MAX_MEMORY: Final = 2 * 2**30
"""Most bytes of all tensors together."""

MAX_MULTIPLICATIONS: Final = 500 * 10**9
"""Most multiplications for a picture: twenty times NASNetLarge's, minutes on a small board."""

_ZERO_POINTS: Final = {"UINT8": (0, 255), "INT8": (-128, 127), "INT16": (0, 0), "INT32": (0, 0)}


def require_sound(model: bytes) -> Graph:
    """The network in a flatbuffer, checked; BundleError says what is wrong with it."""
    root = Buffer(model).root()
    check_schema(root)
    require_used(root)
    graph = read_root(root)
    for tensor in graph.tensors:
        _check_tensor(tensor)
    _check_total(graph)
    known = _given(graph)
    work = 0
    for op in graph.ops:
        work += _check_op(op, graph, known)
    if work > MAX_MULTIPLICATIONS:
        raise BundleError(f"the network needs {work:.1e} multiplications for one picture")
    _check_ends(graph, known)
    return graph


def _check_tensor(tensor: Tensor) -> None:
    said = f"tensor {tensor.name!r:.80}"
    if tensor.size > MAX_TENSOR:
        raise BundleError(f"{said} has the shape {tensor.shape}, too large to be run")
    if tensor.data is not None and len(tensor.data) != tensor.size:
        raise BundleError(f"{said} has {len(tensor.data)} bytes of content, not {tensor.size}")
    scales, zeros = tensor.scales, tensor.zero_points
    if len(scales) != len(zeros):
        raise BundleError(f"{said} has {len(scales)} scales and {len(zeros)} zero points")
    # Large networks have a million of these: their sum is finite only if each float32 is.
    if scales and not (isfinite(sum(scales)) and 1e-30 < min(scales) <= max(scales) < 1e9):
        raise BundleError(f"{said} has a scale that no runtime can use")
    low, high = _ZERO_POINTS.get(tensor.type, (0, 0))
    if any(zeros) and not low <= min(zeros) <= max(zeros) <= high:
        raise BundleError(f"{said} has a zero point that its type cannot hold")
    if len(scales) > 1:
        _check_channels(tensor, said)


def _check_channels(tensor: Tensor, said: str) -> None:
    rank, axis = len(tensor.shape), tensor.axis
    if not 0 <= axis < rank or tensor.shape[axis] != len(tensor.scales):
        raise BundleError(f"{said} has {len(tensor.scales)} scales, not one for each channel")


def _check_total(graph: Graph) -> None:
    total = sum(tensor.size for tensor in graph.tensors)
    if total > MAX_MEMORY:
        raise BundleError(f"the network's tensors take {total:,} bytes, {MAX_MEMORY:,} are allowed")


def _given(graph: Graph) -> set[int]:
    """The tensors that are there before the first operator: the inputs."""
    places = set(graph.inputs)
    fits = all(0 <= n < len(graph.tensors) and graph.tensors[n].data is None for n in places)
    if not graph.inputs or len(places) != len(graph.inputs) or not fits:
        raise BundleError("the network's inputs are not tensors of it")
    return places


def _check_op(op: Op, graph: Graph, known: set[int]) -> int:
    """Check an operator, add its outputs to ``known``; how many multiplications it needs."""
    call = _call(op, graph, known)
    rule = RULES[op.name]
    _check_form(call, rule)
    check_types(call, rule)
    work = rule.work(call)
    if [tensor.shape for tensor in call.outputs] != work.shapes:
        call.fail(f"makes {work.shapes}, the file says {[t.shape for t in call.outputs]}"[:200])
    call.require(work.scratch <= MAX_SCRATCH, "needs too much memory")
    known.update(op.outputs)
    return work.multiplications


def _call(op: Op, graph: Graph, known: set[int]) -> Call:
    """The operator with its tensors: each input is a constant, or made before it."""
    call = Call(op, (), ())
    for n in op.inputs:
        made = n == -1 or (
            0 <= n < len(graph.tensors) and (n in known or graph.tensors[n].data is not None)
        )
        call.require(made, f"its input {n} is made by nothing before it")
    for n in op.outputs:
        new = 0 <= n < len(graph.tensors) and n not in known and graph.tensors[n].data is None
        call.require(new, f"its output {n} is no tensor of its own")
    call.require(len(set(op.outputs)) == len(op.outputs), "an output stands there twice")
    inputs = tuple(graph.tensors[n] if n >= 0 else None for n in op.inputs)
    return Call(op, inputs, tuple(graph.tensors[n] for n in op.outputs))


def _check_form(call: Call, rule: Rule) -> None:
    for count, (low, high), what in (
        (len(call.inputs), rule.inputs, "inputs"),
        (len(call.outputs), rule.outputs, "outputs"),
    ):
        call.require(low <= count <= high, f"has {count} {what}, expected {low} to {high}")
    needed = {rule.options} if rule.needs_options else {0, rule.options}
    fits = call.op.options_type in needed
    fits &= (call.op.options is None) == (call.op.options_type == 0)
    call.require(fits, "its options are those of another operator")
    call.require(all(t is not None for t in call.inputs[:2]), "an input is left out")


def _check_ends(graph: Graph, known: set[int]) -> None:
    """Each output is made by an operator."""
    made = known - set(graph.inputs)
    if not graph.outputs or not set(graph.outputs) <= made:
        raise BundleError("the network's outputs are made by none of its operators")
