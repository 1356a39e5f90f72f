"""What the Edge TPU compiler made of a network, from the two files alone.

It replaces what it maps by one custom operator. Everything else stays as it was, in its order and
under its tensors' names; versions of operators and indexes change.
"""

from collections.abc import Sequence

from corrosion_edge.errors import BundleError
from corrosion_edge.network.graph import COMPILED, Graph, Op, Tensor

__all__ = ["left_on_cpu", "same_ends"]

_Look = tuple[str, str, tuple[tuple[str, str, tuple[int, ...]], ...]]


def left_on_cpu(source: Graph, compiled: Graph) -> tuple[int, ...]:
    """Indexes of the source's operators that the compiler left outside of its custom operator.

    Raises BundleError if nothing of ``compiled`` was compiled, or if it has an operator that
    ``source`` has not, in this order. Where operators cannot be told apart by their outputs (a
    file without names) the first that fits is meant.
    """
    if not compiled.compiled:
        raise BundleError(f"nothing in it is compiled for the Edge TPU: it has no {COMPILED}")
    looks = [_look(op, source) for op in source.ops]
    found: list[int] = []
    for op in compiled.ops:
        if op.custom == COMPILED:
            continue
        start = found[-1] + 1 if found else 0
        try:
            found.append(looks.index(_look(op, compiled), start))
        except ValueError:
            raise BundleError(
                f"it was compiled from another network: its operator {op.index} ({op.name}) is not "
                "there"
            ) from None
    return tuple(found)


def same_ends(source: Graph, compiled: Graph) -> dict[str, str]:
    """Names of the source's inputs and outputs, and what they are called in ``compiled``.

    Raises BundleError if one has another type, shape or quantization.
    """
    pairs = [
        *_paired(_at(source, source.inputs), _at(compiled, compiled.inputs), "inputs"),
        *_paired(_at(source, source.outputs), _at(compiled, compiled.outputs), "outputs"),
    ]
    for one, two in pairs:
        if _contract(one) != _contract(two):
            raise BundleError(
                f"it was compiled from another network: {two.name!r:.80} is {_said(two)}, expected "
                f"{_said(one)}"
            )
    return {one.name: two.name for one, two in pairs}


def _look(op: Op, graph: Graph) -> _Look:
    made = _at(graph, op.outputs)
    return op.name, op.custom, tuple((t.name, t.type, t.shape) for t in made)


def _at(graph: Graph, places: Sequence[int]) -> list[Tensor]:
    if not all(0 <= place < len(graph.tensors) for place in places):
        raise BundleError("it is damaged: an operator names a tensor that is not there")
    return [graph.tensors[place] for place in places]


def _paired(one: list[Tensor], two: list[Tensor], what: str) -> list[tuple[Tensor, Tensor]]:
    if len(one) != len(two):
        raise BundleError(
            f"it was compiled from another network: {len(two)} {what}, expected {len(one)}"
        )
    named = {tensor.name: tensor for tensor in two}
    if {tensor.name for tensor in one} == set(named) and len(named) == len(two):
        return [(tensor, named[tensor.name]) for tensor in one]
    return list(zip(one, two, strict=True))


def _contract(tensor: Tensor) -> tuple[object, ...]:
    return tensor.type, tensor.shape, tensor.scales, tensor.zero_points


def _said(tensor: Tensor) -> str:
    return f"{tensor.type} {list(tensor.shape)}, scale {tensor.scales}, zero {tensor.zero_points}"
