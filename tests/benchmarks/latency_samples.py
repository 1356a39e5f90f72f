"""Made-up measurements with known figures."""

from dataclasses import replace
from pathlib import Path

from corrosion_edge.benchmarks.endurance import Second, Sustained
from corrosion_edge.benchmarks.job import Job
from corrosion_edge.benchmarks.machine import Machine
from corrosion_edge.benchmarks.pictures import Pictures
from corrosion_edge.benchmarks.samples import Round, Samples, Start, WarmUp
from corrosion_edge.benchmarks.schema import LatencyReport, Result
from corrosion_edge.benchmarks.state import State
from corrosion_edge.bundle import Bundle

MS = 1_000_000
QUIET = State(41.5, "0x0", "1500", "0.10 0.05 0.01")
MACHINE = Machine(
    "Raspberry Pi 4 Model B Rev 1.4", "Arm Cortex-A72", 4, "ondemand", "600 to 1500",
    4_000_000_000, "Debian GNU/Linux 12 (bookworm)", "6.6.31+rpt-rpi-v8", "aarch64",
    "CPython 3.11.2", "2.2.0", "11.1.0", "ai-edge-litert 2.3.0",
)  # fmt: skip


def make_samples(runs: int = 120) -> Samples:
    """In ms: scale 4, gate 1, invoke 20 (alone 18, rising to 18.9), decode 1, read 12, sink 0.1."""
    alone = tuple(18 * MS + (i % 10) * MS // 10 for i in range(runs))
    scale, gate, invoke, decode = [(n * MS // 10,) * runs for n in (40, 10, 200, 10)]
    read, sink = [(n * MS // 10,) * runs for n in (120, 1)]
    return Samples(scale, gate, invoke, decode, alone, read, sink)


def make_round(
    runs: int = 120, *, settled: bool = True, clocks: tuple[int, ...] = (1500, 1500)
) -> Round:
    start = Start(30 * MS, 200 * MS, 20 * MS, 2 * MS, 9 * MS, 25 * MS, 2 * MS)
    warm = WarmUp(20, settled)
    name = "made up 1.0, CPU, 1 thread"
    return Round(name, "on", start, warm, make_samples(runs), clocks, 70_000_000)


def make_report(model: str = "/models/a.tflite", **changes: object) -> LatencyReport:
    rounds = (make_round(60), make_round(60))
    result = Result(model, "a", "0" * 64, 7_000_000, 1, 1920, 1080, rounds)
    report = LatencyReport(
        program="0.1.0",
        started_at="2026-01-02T03:04:05+00:00",
        finished_at="2026-01-02T03:05:05+00:00",
        machine=MACHINE,
        before=QUIET,
        after=QUIET,
        others_cores=0.02,
        swapped_pages=0,
        pictures=Pictures("rendered", 4, "f" * 64),
        pixel_format="yuv420p",
        runs=120,
        warm_up="made up",
        results=(result,),
    )
    return replace(report, **changes)  # type: ignore[arg-type]


def make_second(at: float, **changes: object) -> Second:
    """A second of 50 frames of 20 ms, at 3 W."""
    second = Second(at, 50, 20.0, 22.0, 1500, 60.0, "0x0", "no", 70_000_000, 0, 0.01, 3.0)
    return replace(second, **changes)  # type: ignore[arg-type]


def make_sustained(model: str = "/models/a.tflite", **changes: object) -> Sustained:
    """Two minutes at 3 W, idle 2 W."""
    run = Sustained(
        model=model,
        model_name="a",
        model_sha256="0" * 64,
        threads=1,
        width=1920,
        height=1080,
        backend="made up 1.0, CPU, 1 thread",
        started_at="2026-01-02T03:05:05+00:00",
        minutes=2.0,
        rate="full speed",
        idle_watts=2.0,
        seconds=tuple(make_second(1.0 + n) for n in range(120)),
    )
    return replace(run, **changes)  # type: ignore[arg-type]


def fake_launch(job: Job) -> Round:
    """A measuring process that measures nothing."""
    return make_round(job.runs)


def make_model(path: Path) -> Path:
    """A model file whose bundle is right and whose network no runtime can load."""
    network = b"\x10\0\0\0TFL3" + bytes(64)
    Bundle.seal(network, {}, name="no-network", outputs={"scores": "s", "map": "m"}).save(path)
    return path
