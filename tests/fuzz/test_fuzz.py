"""A short run of the fuzzer; the long one is ``python tests/fuzz/fuzz_bundle.py``."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hostile_files import KINDS, hostile

from corrosion_edge.errors import BundleError
from corrosion_edge.network.sound import require_sound

HERE = Path(__file__).parent
litert = pytest.mark.skipif(
    importlib.util.find_spec("ai_edge_litert") is None, reason="ai-edge-litert is not installed"
)


def _fuzz(*words: object) -> dict[str, Any]:
    """The tool in a process of its own: its children are forks of a small process."""
    command = [sys.executable, str(HERE / "fuzz_bundle.py"), *map(str, words), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_hostile_files_are_read_or_refused():
    """All kinds, in a child with 2 GiB: no other exception, no crash, no hang, no write."""
    found = _fuzz("reader", "--count", 1500)
    counts = found["counts"]
    assert found["fatal"] == []
    assert sum(counts.values()) == 1500
    assert not [ended for ended in counts if "ESCAPED" in ended or "WROTE" in ended]
    assert {ended.split(":")[0] for ended in counts} == {kind.__name__[1:] for kind in KINDS}
    assert any(ended.endswith(": read") for ended in counts)


def test_the_same_number_gives_the_same_file():
    assert [hostile(Random(n)) for n in range(30)] == [hostile(Random(n)) for n in range(30)]


@litert
def test_what_the_check_lets_through_does_not_end_the_process():
    found = _fuzz("network", "--count", 600)
    assert found["fatal"] == []
    assert found["counts"]["ran"] > 20
    assert found["counts"]["refused by the check"] > 300


def _fatal() -> dict[str, bytes]:
    """Networks whose flatbuffer is right in every offset, and that end ai-edge-litert 2.3."""
    from networks import TYPES, Tensor, network, pack, single, unpack

    four, half = Tensor((1, 8, 8, 4)), Tensor((1, 8, 8, 2))
    axis = Tensor((), "int32", [3])
    split = network([axis, four, half, half], [("SPLIT", {"numSplits": 65535}, [0, 1], [2, 3])],
                    [1], [2, 3])  # fmt: skip
    scales = unpack(single("ADD", {}, [four, Tensor((1, 1, 1, 4), values=[1, 2, 3, 4])], four))
    scales.subgraphs[0].tensors[0].quantization.scale = np.array([0], np.float32)
    kinds = unpack(single("RESHAPE", {}, [four, Tensor((2,), "int32", [1, 256])], Tensor((1, 256))))
    kinds.subgraphs[0].tensors[0].type = TYPES["int16"]
    missing = unpack(single("SPLIT", {"numSplits": 1}, [axis, four], four))
    missing.subgraphs[0].operators[0].outputs = np.array([], np.int32)
    made = {"scale": scales, "type": kinds, "outputs": missing}
    return {"split": split} | {name: pack(network) for name, network in made.items()}


@litert
@pytest.mark.parametrize("name", ["split", "scale", "type", "outputs"])
def test_networks_that_end_the_process_are_refused_before_it(name, tmp_path):
    model = _fatal()[name]
    with pytest.raises(BundleError):
        require_sound(model)
    (tmp_path / "m.tflite").write_bytes(model)
    code = (
        "import sys; from ai_edge_litert.interpreter import Interpreter as I\n"
        "i = I(model_path=sys.argv[1], num_threads=1); i.allocate_tensors(); i.invoke()"
    )
    command = [sys.executable, "-c", code, os.fspath(tmp_path / "m.tflite")]
    ended = subprocess.run(command, capture_output=True).returncode
    if ended >= 0:
        pytest.skip("this runtime survives it")


def test_the_harness_sees_a_crash_a_hang_and_greed():
    code = (
        "import os, sys, time; sys.path.insert(0, sys.argv[1]); from child import run\n"
        "def work(n):\n"
        "    if n == 1: os.abort()\n"
        "    if n == 2: time.sleep(60)\n"
        "    if n == 3:\n"
        "        try: bytearray(2**33)\n"
        "        except MemoryError: return 'no memory'\n"
        "    return 'fine'\n"
        "print(run(work, range(5), memory=2**31, seconds=2).to_json())"
    )
    done = subprocess.run([sys.executable, "-c", code, HERE], capture_output=True, check=True)
    found = json.loads(done.stdout)
    assert found["fatal"] == [[1, "killed by SIGABRT"], [2, "hang"]]
    assert found["counts"] == {"fine": 2, "no memory": 1, "killed by SIGABRT": 1, "hang": 1}


def test_a_damaged_network_is_checked_for_the_edge_tpu_or_refused():
    found = _fuzz("edgetpu", "--count", 600)
    assert found["fatal"] == []
    assert found["counts"].keys() == {"read", "refused"}
