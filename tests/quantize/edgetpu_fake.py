"""A program that stands in for edgetpu_compiler, and a log in the format of its release 16.0."""

import os
import stat
from pathlib import Path

import pytest

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
