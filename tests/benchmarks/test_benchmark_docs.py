"""The documentation of the benchmarks names every one of them."""

from pathlib import Path

from corrosion_edge.benchmarks.cli import benchmark
from corrosion_edge.benchmarks.schema import FORMAT

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md").read_text()


def test_every_name_that_is_no_model_is_told():
    names = sorted(name for name, one in benchmark.commands.items() if not one.hidden)
    told = f"{', '.join(f'`{name}`' for name in names[:-1])} or `{names[-1]}`"
    assert f"A model file that is called {told} is given as `./compare`." in TEXT


def test_every_benchmark_has_a_row():
    table = TEXT.partition("## Other benchmarks")[2].partition("\n## ")[0]
    for name in ("guard", "coverage", "peers", "archive", "video", "soak", "parity", "web_cost"):
        assert f"corrosion_edge.benchmarks.{name}" in table
    for name in ("roofline", "tune"):
        assert f"benchmark {name}`" in table


def test_the_reports_version_is_the_one_that_is_read():
    assert f"`format` is its version, now {FORMAT}." in TEXT
