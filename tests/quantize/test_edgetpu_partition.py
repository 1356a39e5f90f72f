"""Which ops the one custom op takes: properties over random graphs, and graphs made by hand."""

from dataclasses import dataclass

from edgetpu_models import Net, chain
from hypothesis import given
from hypothesis import strategies as st

from corrosion_edge.network.graph import Tensor
from corrosion_edge.quantize.edgetpu.check import check
from corrosion_edge.quantize.edgetpu.graph import Op
from corrosion_edge.quantize.edgetpu.partition import first_subset


@dataclass(frozen=True)
class Drawn:
    ops: tuple[Op, ...]
    supported: tuple[bool, ...]

    def subset(self) -> frozenset[int]:
        return first_subset(self.ops, lambda op: self.supported[op.index])

    def makers(self, index: int) -> set[int]:
        made = {t.index - 100 for t in self.ops[index].inputs if t and t.index >= 100}
        return {m for m in made if m >= 0}


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 12))
    ops = []
    for index in range(count):
        reads = draw(st.sets(st.integers(-1, index - 1), max_size=3))
        inputs = tuple(Tensor(100 + place if place >= 0 else 0, "", "INT8", ()) for place in reads)
        ops.append(Op(index, "ADD", 1, inputs, (Tensor(100 + index, "", "INT8", ()),)))
    supported = tuple(draw(st.booleans()) for _ in range(count))
    return Drawn(tuple(ops), supported)


def _epochs(drawn: Drawn) -> frozenset[int]:
    """TFLite's partitioner as described in graph_info.h: epochs of one kind, until none is left."""
    epoch: dict[int, int] = {}
    kinds: list[bool] = []
    while len(epoch) < len(drawn.ops):
        kind, moved = None, True
        while moved:
            moved = False
            for op in drawn.ops:
                if op.index in epoch or not drawn.makers(op.index) <= epoch.keys():
                    continue
                kind = drawn.supported[op.index] if kind is None else kind
                if drawn.supported[op.index] == kind:
                    epoch[op.index] = len(kinds)
                    moved = True
        kinds.append(bool(kind))
    first = kinds.index(True) if True in kinds else -1
    return frozenset(index for index, place in epoch.items() if place == first)


@given(graphs())
def test_the_first_subset_is_the_partitioners(drawn):
    assert drawn.subset() == _epochs(drawn)


@given(graphs())
def test_only_supported_ops_and_none_behind_the_cpu_behind_the_tpu(drawn):
    chosen = drawn.subset()
    assert all(drawn.supported[index] for index in chosen)
    behind: set[int] = set()
    for op in drawn.ops:
        makers = drawn.makers(op.index)
        if op.index not in chosen and makers & (chosen | behind):
            behind.add(op.index)
        assert not (op.index in chosen and makers & behind)


def test_everything_or_nothing():
    assert check(chain("RELU", "TANH")).edgetpu_ops == 2
    nothing = check(chain("ABS", "ABS"))
    assert (nothing.edgetpu_ops, nothing.first_split) == (0, 0)


def test_an_unsupported_op_takes_what_follows():
    report = check(chain("RELU", "ABS", "TANH", "RELU"))
    assert [op.runs_on for op in report.ops] == ["edgetpu", "cpu", "cpu", "cpu"]
    assert [op.maps for op in report.ops] == ["yes", "no", "yes", "yes"]
    assert [op.blocked_by for op in report.ops] == [None, None, 1, 1]
    assert (report.first_split, report.cpu_behind, report.cpu_before) == (1, (1, 2, 3), ())


def test_an_unsupported_op_at_the_entry_comes_before():
    report = check(chain("ABS", "RELU", "TANH", "ABS", "RELU"))
    assert [op.runs_on for op in report.ops] == ["cpu", "edgetpu", "edgetpu", "cpu", "cpu"]
    assert (report.cpu_before, report.cpu_behind) == ((0,), (3, 4))


def test_only_the_first_run_is_compiled_even_if_a_later_one_is_longer():
    report = check(chain("RELU", "ABS", "RELU", "TANH", "RELU", "TANH"))
    assert report.edgetpu_ops == 1


def test_the_split_goes_by_dependence_and_not_by_order():
    net = Net()
    data, a, b, c, d = (net.tensor((1, 4, 4, 8)) for _ in range(5))
    net.op("RELU", [data], [a])
    net.op("ABS", [a], [b])
    net.op("TANH", [a], [c])
    net.op("ADD", [b, c], [d])
    report = check(net.pack([data], [c, d]))
    assert [op.runs_on for op in report.ops] == ["edgetpu", "cpu", "edgetpu", "cpu"]


def test_behind_an_unknown_op_all_is_unknown():
    report = check(chain("RELU", "SOFTMAX", "TANH", "ABS"))
    assert [op.runs_on for op in report.ops] == ["edgetpu", "unknown", "unknown", "cpu"]
    assert report.ops[2].blocked_by == 1
    assert report.passes(allow_cpu=3)
    assert not report.passes(allow_cpu=2)


def test_one_op_that_is_too_new_has_the_whole_file_refused():
    net = Net()
    data, a, b = (net.tensor((1, 4, 4, 8)) for _ in range(3))
    net.op("RELU", [data], [a])
    net.op("EXP", [a], [b], version=2)
    report = check(net.pack([data], [b]))
    assert not report.compiles
    assert "op 1 (EXP) has the whole file refused" in report.ops[0].rule
    assert not report.passes(allow_cpu=99)
    assert [(op.maps, op.runs_on, op.blocked_by) for op in report.ops] == [
        ("yes", "cpu", 1), ("no", "cpu", None)
    ]  # fmt: skip
