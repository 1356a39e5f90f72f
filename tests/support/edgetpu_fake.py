"""A program that stands in for edgetpu_compiler, and a log in the format of its release 16.0.

Called as a script it is such a program, which does to a network what the compiler does, but for
the machine code: EDGETPU_FAKE_LEFT lists the indexes of the ops that it leaves.
"""

import os
import stat
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from corrosion_edge.network.graph import COMPILED, read
from corrosion_edge.quantize import flatbuffer

HEAD = """\
Edge TPU Compiler version 16.0.384591198
Started a compilation timeout timer of 180 seconds.

Model compiled successfully in 412 ms.

Input model: model.tflite
Input size: 5.21MiB
Output model: model_edgetpu.tflite
Output size: 6.51MiB
On-chip memory used for caching model parameters: 6.02MiB
On-chip memory remaining for caching model parameters: 7.75KiB
Off-chip memory used for streaming uncached model parameters: 0.00B
Number of Edge TPU subgraphs: 1
Total number of operations: 4
Operation log: model_edgetpu.log

Model successfully compiled but not all operations are supported by the Edge TPU. A percentage of \
the model will instead run on the CPU, which is slower. If possible, consider updating your model \
to use only operations supported by the Edge TPU. For details, visit g.co/coral/model-reqs.
Number of operations that will run on Edge TPU: 2
Number of operations that will run on CPU: 2

"""
TABLE = """\
Operator                       Count      Status

RELU                           1          Mapped to Edge TPU
RELU                           1          More than one subgraph is not supported
SPACE_TO_DEPTH                 1          Mapped to Edge TPU
ABS                            1          Operation not supported
"""
TAIL = "Compilation child process completed within timeout period.\nCompilation succeeded! \n"


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = folder / "edgetpu_compiler"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


WORKS = f"""
[ "$1" = -s ] && [ "$2" = -o ] || exit 9
cp "$4" "$3/model_edgetpu.tflite"
cat <<'EOF'
{HEAD}{TABLE}{TAIL}
EOF
"""

LEFT = "EDGETPU_FAKE_LEFT"


def install_real_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch, left: Sequence[int] = ()
) -> None:
    """The stand-in that replaces ops by a custom op, all but those ``left``."""
    monkeypatch.setenv(LEFT, ",".join(map(str, left)))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(p for p in sys.path if p))
    install(folder, monkeypatch, f'exec {sys.executable} {Path(__file__).resolve()} "$@"')


def compiled(model: bytes, left: Sequence[int] = ()) -> bytes:
    """The network with a custom op in place of all ops but those ``left``, as the compiler does."""
    net = flatbuffer.unpack(model)
    graph = net.subgraphs[0]
    mapped = [op for index, op in enumerate(graph.operators) if index not in left]
    kept = [graph.operators[index] for index in left]
    made = {int(t) for op in mapped for t in op.outputs}
    held = {n for n, t in enumerate(graph.tensors) if net.buffers[t.buffer].data is not None}
    reads = {int(t) for op in mapped for t in op.inputs if t >= 0} - made - held
    wanted = {int(t) for op in kept for t in op.inputs} | {int(t) for t in graph.outputs}
    custom = schema.OperatorT()
    custom.opcodeIndex = len(net.operatorCodes)
    custom.inputs = np.array(sorted(reads), np.int32)
    custom.outputs = np.array(sorted(made & wanted), np.int32)
    custom.customOptions = np.frombuffer(b"a package for the chip", np.uint8)
    net.operatorCodes.append(_custom_code())
    behind = set(made)
    before: list[Any] = []
    after: list[Any] = []
    for op in kept:
        depends = bool(behind & {int(t) for t in op.inputs})
        (after if depends else before).append(op)
        behind |= {int(t) for t in op.outputs} if depends else set()
    graph.operators = [*before, custom, *after]
    _drop_codes(net)
    flatbuffer.drop_unused(net)
    return flatbuffer.pack(net)


def _drop_codes(net: Any) -> None:
    used = sorted({op.opcodeIndex for op in net.subgraphs[0].operators})
    for op in net.subgraphs[0].operators:
        op.opcodeIndex = used.index(op.opcodeIndex)
    net.operatorCodes = [net.operatorCodes[place] for place in used]


def _custom_code() -> schema.OperatorCodeT:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode, code.version = COMPILED.encode(), 1
    return code


def _table(model: bytes, left: Sequence[int]) -> str:
    ops = read(model).ops
    rows = Counter(
        (op.name, "Operation not supported" if op.index in left else "Mapped to Edge TPU")
        for op in ops
    )
    lines = [f"{name:<30} {count:<10} {status}" for (name, status), count in rows.items()]
    return "\n".join(["Operator                       Count      Status", "", *lines, ""])


def _main(words: Sequence[str]) -> None:
    assert (words[0], words[1]) == ("-s", "-o"), words
    folder, source = Path(words[2]), Path(words[3])
    left = [int(place) for place in os.environ[LEFT].split(",") if place]
    content = source.read_bytes()
    (folder / f"{source.stem}_edgetpu.tflite").write_bytes(compiled(content, left))
    print(HEAD + _table(content, left) + TAIL)


if __name__ == "__main__":
    _main(sys.argv[1:])
