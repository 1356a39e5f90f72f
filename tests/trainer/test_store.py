import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from corrosion_edge.errors import OutputError, UsageError
from corrosion_edge.trainer.store import Store, key_of

ROW = np.arange(1000, dtype=np.float32)
SIZE = 10 * 4000 + 4096  # bytes of what _put writes


def _put(store: Store, key: str, value: float = 0.0) -> None:
    with store.writer(key, (10, 1000)) as writer:
        writer.write(np.stack([ROW + value] * 4))
        writer.write(np.stack([ROW + value] * 6))


def _names(store: Store) -> set[str]:
    return {path.name for path in store.folder.iterdir()} - {".lock"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache", 3 * SIZE)


def test_an_array_comes_back(store):
    assert store.get("a") is None
    _put(store, "a", 1)
    again = Store(store.folder, 3 * SIZE)
    for array in (store.get("a"), again.get("a")):
        assert isinstance(array, np.memmap)
        assert array.dtype == np.float32
        assert np.array_equal(array, np.stack([ROW + 1] * 10))
        assert not array.flags.writeable
    with store.writer("b", (2, 3, 1), np.uint8) as writer:
        writer.write(np.full((2, 3, 1), 7, np.uint8))
    b = store.get("b")
    assert b is not None
    assert (b.dtype, b.shape, b.sum()) == (np.uint8, (2, 3, 1), 42)


def test_keys_depend_on_all_of_the_description_and_not_on_its_order():
    assert key_of({"a": 1, "b": [2, 3]}) == key_of({"b": [2, 3], "a": 1})
    assert len({key_of({"a": value}) for value in (1, 2, "1", None, [1])}) == 5
    with pytest.raises(ValueError, match="JSON"):
        key_of({"a": float("nan")})


def test_what_is_there_is_not_made_again(store):
    made = []

    def make() -> Iterator[np.ndarray]:
        made.append(1)
        yield np.ones((2, 3))

    for _ in range(2):
        assert store.obtain("k", (2, 3), make).sum() == 6
    assert made == [1]


@pytest.mark.parametrize("rows", [9, 11])
def test_too_few_or_many_rows_leave_nothing(store, rows):
    with (
        pytest.raises(ValueError, match=r"expected 10 rows|expected rows"),
        store.writer("a", (10, 3)) as w,
    ):
        w.write(np.zeros((rows, 3)))
    assert not _names(store)


def test_an_error_on_the_way_leaves_nothing_and_is_not_blamed_on_the_disk(store):
    with pytest.raises(FileNotFoundError), store.writer("a", (10, 3)) as writer:
        writer.write(np.zeros((5, 3)))
        Path("/no/such/photo").read_bytes()
    assert not _names(store)


def _truncate(path: Path) -> None:
    os.truncate(path, SIZE - 1)


def _flip_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-2000] ^= 1
    path.write_bytes(data)


def _spoil_head(path: Path) -> None:
    path.write_bytes(b"x" * SIZE)


@pytest.mark.parametrize(
    "damage", [_truncate, _flip_bit, _spoil_head, lambda p: p.write_bytes(b"")]
)
def test_a_damaged_file_is_named_and_removed(store, capsys, damage):
    _put(store, "a")
    path = store.folder / "a.array"
    damage(path)
    assert Store(store.folder, 3 * SIZE).get("a") is None
    said = capsys.readouterr().err
    assert str(path) in said
    assert "damaged" in said
    assert not _names(store)
    _put(store, "a")
    assert store.get("a") is not None


def test_the_longest_unused_makes_room(store):
    for key in "abc":
        _put(store, key)
        time.sleep(0.01)
    assert store.get("a") is not None
    _put(store, "d")
    assert _names(store) == {"a.array", "c.array", "d.array"}
    assert sum(p.stat().st_size for p in store.folder.iterdir()) <= store.limit_bytes


def test_what_is_open_is_not_removed(store):
    _put(store, "a", 5)
    held = store.get("a")
    for key in "bcde":
        _put(store, key)
    assert "a.array" in _names(store)
    assert len(_names(store)) == 3
    assert np.array_equal(held[9], ROW + 5)
    open_too = [store.get(key) for key in "de"]
    with pytest.raises(UsageError, match=r"--cache-size: .* are in use"):
        _put(store, "f")
    assert len(_names(store)) == 3
    del held, open_too
    _put(store, "f")


def test_what_is_being_written_counts(store):
    with store.writer("a", (10, 1000)) as a, store.writer("b", (10, 1000)) as b:
        with pytest.raises(UsageError, match=r"--cache-size: .* are in use"):
            store.obtain("c", (20, 1000), lambda: [np.zeros((20, 1000))])
        _put(store, "d")
        _put(Store(store.folder, 3 * SIZE), "e")
        assert len(_names(store)) == 3
        for writer in (a, b):
            writer.write(np.zeros((10, 1000)))
    assert _names(store) == {"a.array", "b.array", "e.array"}


def test_what_is_larger_than_the_bound_is_refused(store):
    _put(store, "a")
    with pytest.raises(UsageError, match=r"--cache-size: one array needs 1 MB, the limit is 1 MB"):
        store.obtain("b", (40, 1000), list)
    assert _names(store) == {"a.array"}
    with pytest.raises(UsageError, match="--cache-size"):
        Store(store.folder, 0)


def test_a_full_disk_leaves_nothing(small_disk):
    store = Store(small_disk / "cache", 10**9)
    with pytest.raises(OutputError, match="cache cannot be written"):
        store.obtain("a", (100, 1000), lambda: [np.zeros((100, 1000))])
    assert not _names(store)
    _put(store, "b")


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file"):
        Store(tmp_path / "file", 100)


def _python(code: str, *arguments: object) -> subprocess.Popen[bytes]:
    lines = "import sys, numpy as np; from pathlib import Path\n"
    lines += "from corrosion_edge.trainer.store import Store\n" + code
    return subprocess.Popen(
        [sys.executable, "-c", lines, *map(str, arguments)], stdin=subprocess.PIPE
    )


def test_a_killed_writer_stops_nobody(store):
    code = (
        "with Store(Path(sys.argv[1]), 10**9).writer('a', (10, 1000)) as w:\n"
        "    w.write(np.ones((5, 1000))); input()"
    )
    with _python(code, store.folder) as process:
        while not _names(store):
            time.sleep(0.02)
        time.sleep(0.1)
        Store(store.folder, 3 * SIZE)
        assert len(_names(store)) == 1  # it lives: its part is not taken for a leftover
        process.send_signal(signal.SIGKILL)
    assert len(_names(store)) == 1
    again = Store(store.folder, 3 * SIZE)
    assert not _names(store)
    _put(again, "a")


def test_processes_that_write_the_same_at_once_corrupt_nothing(store):
    code = (
        "store = Store(Path(sys.argv[1]), int(sys.argv[2]))\n"
        "for i in range(150):\n"
        "    n = i * int(sys.argv[3]) % 7\n"
        "    a = store.obtain(str(n), (10, 1000), lambda: [np.full((10, 1000), n)])\n"
        "    assert (a == n).all(), a\n"
        "    del a\n"
    )
    both = [_python(code, store.folder, 5 * SIZE, step) for step in (3, 5)]
    assert [process.wait() for process in both] == [0, 0]
    assert all(name.endswith(".array") for name in _names(store))
    assert len(_names(store)) <= 5
