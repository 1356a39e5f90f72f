"""A report in words for the terminal, and as JSON."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from typing import Any

from corrosion_edge.quantize.edgetpu.check import COMPILER, CheckedOp, Report
from corrosion_edge.quantize.edgetpu.compiler import Log, differences
from corrosion_edge.quantize.edgetpu.problems import FITS, STREAMS

__all__ = ["as_json", "compared", "failure", "lines"]

_INDENT = " " * 20


def as_json(report: Report, allow_cpu: int, log: Log | None = None) -> dict[str, Any]:
    """The report as plain data; an op's ``change`` and ``blocked_by`` only where there is one.

    With the compiler's ``log``, that and the checker's errors are under ``edgetpu_compiler``.
    """
    data = _report(report, allow_cpu)
    if log is not None:
        wrong = [asdict(one) for one in differences(report, log)]
        data["edgetpu_compiler"] = {**asdict(log), "checker_wrong": wrong}
    return data


def _report(report: Report, allow_cpu: int) -> dict[str, Any]:
    return {
        "model": report.name,
        "target": "edgetpu",
        "compiler": COMPILER,
        "passed": report.passes(allow_cpu),
        "allow_cpu": allow_cpu,
        "compiles": report.compiles,
        "edgetpu_ops": report.edgetpu_ops,
        "cpu_ops": report.cpu_ops,
        "unknown_ops": report.unknown_ops,
        "first_split": report.first_split,
        "cpu_before": list(report.cpu_before),
        "cpu_behind": list(report.cpu_behind),
        "parameters_bytes": report.parameters_bytes,
        "parameters_cache": _cache(report.parameters_bytes),
        "problems": [asdict(problem) for problem in report.problems],
        "ops": [_op(op) for op in report.ops],
    }


def lines(report: Report, *, every: bool = False) -> Iterator[str]:
    """The report for a terminal: ops on the TPU in runs, or ``every`` op in a row of its own.

    Numbers in brackets point to the sources at the end.
    """
    sources: dict[str, int] = {}
    yield (
        f"{report.name}: {len(report.ops)} ops, {report.edgetpu_ops} on the Edge TPU, "
        f"{report.cpu_ops} on the CPU, {report.unknown_ops} unknown (rules of compiler {COMPILER})"
    )
    yield f"{'op':<10} {'runs on':<8} what"
    for run in _runs(report, every):
        yield from _row(run, sources)
    yield _split(report)
    yield f"{report.parameters_bytes / 2**20:.2f} MiB of parameters for the Edge TPU"
    for problem in report.problems:
        mark = sources.setdefault(problem.source, len(sources) + 1)
        yield f"{problem.what}: {problem.change} [{mark}]"
    yield from (f"[{number}] {source}" for source, number in sources.items())


def compared(report: Report, log: Log | None) -> Iterator[str]:
    """What the real compiler did, and where the checker was wrong; nothing without a log."""
    if log is None:
        return
    total = sum(row.count for row in log.ops)
    yield f"edgetpu_compiler {log.version or '(no version)'}: {log.mapped} of {total} ops mapped"
    if log.on_chip_used is not None and log.off_chip_used is not None:
        yield (
            f"kept on the chip {log.on_chip_used / 2**20:.2f} MiB, sent for every picture "
            f"{log.off_chip_used / 2**20:.2f} MiB"
        )
    found = differences(report, log)
    for one in found:
        more = f" to {one.checked + one.unknown}" if one.unknown else ""
        yield (
            f"the checker was wrong on {one.op}: {one.checked}{more} on the TPU, the compiler "
            f"{one.compiled} ({'; '.join(one.statuses) or 'not in its log'})"
        )
    if not found:
        yield "the checker and the compiler agree on every kind of op"


def failure(report: Report, allow_cpu: int) -> str:
    """The sentence for a report that does not pass."""
    if not report.compiles:
        return f"{report.name}: the Edge TPU compiler refuses this file"
    return (
        f"{report.name}: {report.cpu_ops} ops run on the CPU and {report.unknown_ops} may, "
        f"--allow-cpu allows {allow_cpu}"
    )


def _op(op: CheckedOp) -> dict[str, Any]:
    return {
        key: value
        for key, value in asdict(op).items()
        if value is not None or key not in {"change", "blocked_by"}
    }


def _cache(size: int) -> str:
    return "fits" if size <= FITS else "unknown" if size <= STREAMS else "streamed"


def _runs(report: Report, every: bool) -> Iterator[list[CheckedOp]]:
    for _, run in groupby(report.ops, key=lambda op: (op.index,) if every else _key(op)):
        yield list(run)


def _key(op: CheckedOp) -> tuple[object, ...]:
    # What may share a row: ops on the TPU, and ops behind the same one.
    if op.runs_on == "edgetpu":
        return (op.runs_on,)
    return (op.runs_on, "behind", op.blocked_by) if op.blocked_by is not None else (op.index,)


def _row(run: list[CheckedOp], sources: dict[str, int]) -> Iterator[str]:
    first = run[0]
    place = f"{first.index}-{run[-1].index}" if len(run) > 1 else f"{first.index}"
    head = f"{place:<10} {first.runs_on:<8}"
    if len(run) > 1 and first.runs_on == "edgetpu":
        yield f"{head} {_names(run)}"
        return
    mark = sources.setdefault(first.source, len(sources) + 1)
    yield f"{head} {_names(run)}: {first.rule} [{mark}]"
    if first.change:
        yield f"{_INDENT}-> {first.change}"


def _names(run: list[CheckedOp]) -> str:
    counts = Counter(f"{op.op} v{op.version}" for op in run)
    names = ", ".join(f"{name} x{n}" if n > 1 else name for name, n in counts.most_common())
    return f"{len(run)} ops: {names}" if len(run) > 1 else names


def _split(report: Report) -> str:
    if not report.compiles:
        return "the compiler refuses this file: nothing runs on the Edge TPU"
    if report.first_split is None:
        return "no split: every op runs on the Edge TPU"
    if report.cpu_ops == len(report.ops):
        return "no op maps: nothing runs on the Edge TPU"
    return (
        f"first split at op {report.first_split}; on the CPU, {len(report.cpu_before)} ops run "
        f"before the Edge TPU's part and {len(report.cpu_behind)} behind it"
    )
