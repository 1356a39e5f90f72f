"""Which ops the compiler puts into its one custom op.

The compiler hands the graph to TFLite's partitioner, which cuts it into subsets of ops that are
all supported or all unsupported, by data dependence in order of execution
(``tensorflow/lite/graph_info.cc``, ``PartitionGraphIntoIndependentNodeSubsets``). The first
subset of supported ops becomes the custom op; everything else stays on the CPU
(https://github.com/google-coral/edgetpu/issues/461). So an op behind an unsupported one, in order,
still runs on the TPU if it does not depend on it; and unsupported ops at the entry may come before.
"""

from collections.abc import Callable, Sequence

from corrosion_edge.quantize.edgetpu.graph import Op

__all__ = ["first_subset"]


def first_subset(ops: Sequence[Op], supported: Callable[[Op], bool]) -> frozenset[int]:
    """Indexes of the ops that run on the TPU; empty if none is supported.

    ``ops`` are in order of execution: each reads only what earlier ones made.
    """
    if not ops:
        return frozenset()
    waiting = {out.index for op in ops for out in op.outputs}
    if supported(ops[0]):
        return _subset(ops, supported, waiting)
    before = _subset(ops, lambda op: not supported(op), waiting)
    rest = [op for op in ops if op.index not in before]
    return _subset(rest, supported, waiting)


def _subset(ops: Sequence[Op], wanted: Callable[[Op], bool], waiting: set[int]) -> frozenset[int]:
    # One pass is enough, since the ops are in order. Takes what it makes out of `waiting`.
    chosen: set[int] = set()
    for op in ops:
        ready = not any(t.index in waiting for t in op.inputs if t)
        if ready and wanted(op):
            chosen.add(op.index)
            waiting.difference_update(out.index for out in op.outputs)
    return frozenset(chosen)
