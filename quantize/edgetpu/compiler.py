"""The real compiler, where it is installed: run it, read its log, compare it with the checker.

The log's format is that of edgetpu_compiler 16.0, as documented in
https://coral.ai/docs/edgetpu/compiler/ and posted in issues of google-coral/edgetpu (#512, #671).
"""

import re
import shutil
import subprocess
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from corrosion_edge.errors import BackendError
from corrosion_edge.quantize.edgetpu.check import Report

__all__ = [
    "PROGRAM",
    "Compiled",
    "Difference",
    "Log",
    "LoggedOp",
    "compile_model",
    "differences",
    "find",
]

PROGRAM: Final = "edgetpu_compiler"
"""The compiler's name on PATH."""
MAPPED: Final = "Mapped to Edge TPU"

_ROW = re.compile(r"^([A-Z][A-Z0-9_]*)[ \t]+(\d+)[ \t]{2,}(\S.*?)[ \t]*$", re.MULTILINE)
_VERSION = re.compile(r"^Edge TPU Compiler version (\S+)", re.MULTILINE)
_UNITS: Final = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


@dataclass(frozen=True, slots=True)
class LoggedOp:
    """One row of the log's table."""

    op: str
    count: int
    status: str

    @property
    def mapped(self) -> bool:
        """Whether these ops run on the TPU."""
        return self.status == MAPPED


@dataclass(frozen=True, slots=True)
class Log:
    """What a log of the compiler says; a number that is not in it is None. Sizes in bytes."""

    version: str | None
    ops: tuple[LoggedOp, ...]
    subgraphs: int | None = None
    operations: int | None = None
    on_chip_used: int | None = None
    on_chip_remaining: int | None = None
    off_chip_used: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Log":
        """Read what the compiler prints (``-s``), or its ``.log`` file, which has the table only.

        Raises :class:`BackendError` on a text without the table.
        """
        rows = tuple(LoggedOp(op, int(count), status) for op, count, status in _ROW.findall(text))
        if not rows:
            raise BackendError(f"no table of operators in what {PROGRAM} wrote: {_last(text)}")
        version = _VERSION.search(text)
        return cls(
            version=version.group(1) if version else None,
            ops=rows,
            subgraphs=_number(text, "Number of Edge TPU subgraphs"),
            operations=_number(text, "Total number of operations"),
            on_chip_used=_size(text, "On-chip memory used for caching model parameters"),
            on_chip_remaining=_size(text, "On-chip memory remaining for caching model parameters"),
            off_chip_used=_size(
                text, "Off-chip memory used for streaming uncached model parameters"
            ),
        )

    @property
    def mapped(self) -> int:
        """How many ops run on the TPU."""
        return sum(row.count for row in self.ops if row.mapped)

    def statuses(self, op: str) -> tuple[str, ...]:
        """The rows of one kind of op; ``op`` may be followed by a custom op's own name."""
        return tuple(f"{row.count} {row.status}" for row in self.ops if row.op == _kind(op))


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled model and the compiler's log."""

    model: bytes
    log: Log


@dataclass(frozen=True, slots=True)
class Difference:
    """A kind of op of which the checker was wrong: how many it put on the TPU, and the compiler.

    ``unknown`` more could have run on either, as the checker said.
    """

    op: str
    checked: int
    unknown: int
    compiled: int
    statuses: tuple[str, ...]


def find() -> Path | None:
    """The compiler on PATH, or None."""
    found = shutil.which(PROGRAM)
    return Path(found) if found else None


def compile_model(model: bytes, name: str = "model", *, timeout: float = 600) -> Compiled:
    """Compile a TFLite model in a temporary folder; seconds of ``timeout``.

    Raises :class:`BackendError` if the compiler is absent, fails, or takes too long.
    """
    program = find()
    if program is None:
        raise BackendError(
            f"{PROGRAM} is not on PATH; it exists for x86-64 Debian only, see "
            "https://coral.ai/docs/edgetpu/compiler/"
        )
    with tempfile.TemporaryDirectory(prefix="corrosion-edge-") as folder:
        source = Path(folder) / "model.tflite"
        source.write_bytes(model)
        said = _run(program, source, name, timeout)
        made = Path(folder) / "model_edgetpu.tflite"
        if not made.is_file():
            raise BackendError(f"{PROGRAM} could not compile {name}: {_last(said)}")
        return Compiled(made.read_bytes(), Log.parse(said + _log_file(Path(folder), said)))


def differences(report: Report, log: Log) -> list[Difference]:
    """The kinds of ops whose number on the TPU is not what the checker said."""
    kinds = {_kind(op.op) for op in report.ops} | {row.op for row in log.ops}
    sure = Counter(_kind(op.op) for op in report.ops if op.runs_on == "edgetpu")
    unknown = Counter(_kind(op.op) for op in report.ops if op.runs_on == "unknown")
    mapped: Counter[str] = Counter()
    for row in log.ops:
        mapped[row.op] += row.count if row.mapped else 0
    return [
        Difference(kind, sure[kind], unknown[kind], mapped[kind], log.statuses(kind))
        for kind in sorted(kinds)
        if not sure[kind] <= mapped[kind] <= sure[kind] + unknown[kind]
    ]


def _run(program: Path, source: Path, name: str, timeout: float) -> str:
    command = [str(program), "-s", "-o", str(source.parent), str(source)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise BackendError(f"{PROGRAM} took more than {timeout:g} s for {name}") from error
    except OSError as error:
        raise BackendError(f"{program} cannot be run: {error.strerror}") from error
    said = f"{done.stdout}\n{done.stderr}"
    if done.returncode:
        raise BackendError(f"{PROGRAM} failed on {name} ({done.returncode}): {_last(said)}")
    return said


def _log_file(folder: Path, said: str) -> str:
    # Without `-s`, as in a release that does not know it, the table is in the log file alone.
    log = folder / "model_edgetpu.log"
    return log.read_text(errors="replace") if not _ROW.search(said) and log.is_file() else ""


def _kind(title: str) -> str:
    return title.split(" ", 1)[0]


def _number(text: str, label: str) -> int | None:
    found = re.search(rf"^{re.escape(label)}: (\d+)\s*$", text, re.MULTILINE)
    return int(found.group(1)) if found else None


def _size(text: str, label: str) -> int | None:
    found = re.search(rf"^{re.escape(label)}: ([\d.]+)(B|KiB|MiB|GiB)\s*$", text, re.MULTILINE)
    return round(float(found.group(1)) * _UNITS[found.group(2)]) if found else None


def _last(text: str) -> str:
    # The line that says what was wrong: the reason of the failure, an error, else the last one.
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for start in ("Compilation failed:", "ERROR:"):
        found = next((line for line in lines if line.startswith(start)), None)
        if found:
            return found
    return lines[-1] if lines else "it wrote nothing"
