import io
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from corrosion_edge.errors import WeightsError
from corrosion_edge.trainer.weights.arrays import content_sha256, npz_bytes, read_npz

ARRAYS = {"b/kernel": np.arange(6, dtype=np.float32).reshape(2, 3), "a/bias": np.ones(1, "f4")}


def _header(shape: str, dtype: str = "<f4") -> bytes:
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def _zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


FLOATS = st.floats(width=32, allow_nan=False, allow_subnormal=False)


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.sampled_from(["a/b", "stem/kernel", "é/x"]),
                       arrays(np.float32, array_shapes(max_side=4), elements=FLOATS)))  # fmt: skip
def test_arrays_survive_the_file_and_keep_their_hash(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("npz") / "x.npz"
    path.write_bytes(npz_bytes(values))
    read = read_npz(path)
    assert read.keys() == values.keys()
    assert all(np.array_equal(read[key], array) for key, array in values.items())
    assert content_sha256(read) == content_sha256(values)


def test_the_hash_is_as_documented():
    # By hashlib over b"a/bias float32 (1,)\n", the float 1, b"b/kernel float32 (2, 3)\n", 0 to 5.
    assert content_sha256(ARRAYS) == (
        "877445f8a15cbb784dcf5bfc45a05584807edc58a9833a1b982f7fa8527e0ca8"
    )
    turned = {key: np.asfortranarray(array) for key, array in reversed(ARRAYS.items())}
    assert content_sha256(turned) == content_sha256(ARRAYS)


@pytest.mark.parametrize("change", ["name", "shape", "value"])
def test_the_hash_tells_names_shapes_and_values(change):
    other = {key: array.copy() for key, array in ARRAYS.items()}
    if change == "name":
        other["c/bias"] = other.pop("a/bias")
    elif change == "shape":
        other["b/kernel"] = other["b/kernel"].reshape(3, 2)
    else:
        other["b/kernel"][0, 0] = np.float32(1e-6)
    assert content_sha256(other) != content_sha256(ARRAYS)


@pytest.mark.parametrize("content", [
    _header("(1099511627776,)"), _header("(2,)") + b"\0" * 4, _header("(1,)") + b"\0" * 8,
    _header("(-1, -1)") + b"\0" * 4, _header("(-1,)") + b"\0" * 4,
    _header("(1.5,)"), _header("(1,)", "|O") + b"\0" * 8,
    _header("(1,)", "|S4") + b"\0" * 4, _header("(1,") + b"\0" * 4, b"\x93NUMPY\x09\x00", b"",
    _header("__import__('os').system('true')"),
])  # fmt: skip
def test_headers_that_claim_what_is_not_there_are_refused(tmp_path, content):
    path = _zip(tmp_path / "x.npz", {"a.npy": content})
    tracemalloc.start()
    try:
        with pytest.raises(WeightsError, match=r"x\.npz: not a readable"):
            read_npz(path)
        assert tracemalloc.get_traced_memory()[1] < 2**21
    finally:
        tracemalloc.stop()


def test_an_archive_that_unpacks_to_far_more_than_it_is_is_refused(tmp_path):
    path = _zip(tmp_path / "x.npz", {"a.npy": b"\0" * (2**26 + 1)})
    with pytest.raises(WeightsError, match="claims to unpack to 67108865 bytes"):
        read_npz(path)


def test_what_is_no_archive_is_refused(tmp_path):
    with pytest.raises(WeightsError, match="no such file"):
        read_npz(tmp_path / "x.npz")
    with pytest.raises(WeightsError, match="not a readable"):
        read_npz(tmp_path)
    np.save(tmp_path / "x.npy", np.ones(3))
    with pytest.raises(WeightsError, match="not a readable"):
        read_npz(tmp_path / "x.npy")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_flipped_bits_end_in_an_error_or_in_arrays(tmp_path_factory, data):
    content = bytearray(npz_bytes(ARRAYS))
    for bit in data.draw(st.lists(st.integers(0, 8 * len(content) - 1), min_size=1, max_size=4)):
        content[bit // 8] ^= 1 << bit % 8
    path = tmp_path_factory.mktemp("npz") / "x.npz"
    path.write_bytes(content)
    try:
        read = read_npz(path)
    except WeightsError:
        return
    assert all(isinstance(array, np.ndarray) for array in read.values())


def test_numpy_reads_what_is_written():
    with np.load(io.BytesIO(npz_bytes(ARRAYS))) as archive:
        assert archive.files == sorted(ARRAYS)
        assert all(np.array_equal(archive[name], array) for name, array in ARRAYS.items())
    assert npz_bytes(ARRAYS) == npz_bytes(dict(reversed(ARRAYS.items())))
