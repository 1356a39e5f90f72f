"""The documentation of the benchmarks names every one of them."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from corrosion_edge.benchmarks.cli import benchmark
from corrosion_edge.benchmarks.schema import FORMAT

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "benchmarks.md").read_text()
TABLE = TEXT.partition("## Other benchmarks")[2].partition("\n## ")[0]
MODULES = sorted(set(re.findall(r"python -m (corrosion_edge\.benchmarks\.[\w.]+)", TABLE)))
FILES = sorted(set(re.findall(r"python (tests/[\w/]+\.py)", TABLE)))
NEEDS = {"training.shared": "keras", "training.site": "keras", "dataset.cost": "imagehash",
         "dataset.found": "imagehash",
         "parity": "av", "video": "av", "soak": "av", "peers.parts": "ai_edge_litert"}  # fmt: skip


def test_every_name_that_is_no_model_is_told():
    names = sorted(name for name, one in benchmark.commands.items() if not one.hidden)
    told = f"{', '.join(f'`{name}`' for name in names[:-1])} or `{names[-1]}`"
    assert f"A model file that is called {told} is given as `./compare`." in TEXT


def test_every_benchmark_has_a_row():
    """Whatever in ``benchmarks`` is run by itself."""
    folder = ROOT / "benchmarks"
    programs = [path for path in folder.rglob("*.py") if 'if __name__ == "__main__"' in
                path.read_text() or path.name == "__main__.py"]  # fmt: skip
    names = {".".join(path.relative_to(folder).with_suffix("").parts) for path in programs}
    wanted = {f"corrosion_edge.benchmarks.{name.removesuffix('.__main__')}" for name in names}
    assert wanted - INNER == set(MODULES)
    for name in ("roofline", "tune"):
        assert f"benchmark {name}`" in TABLE


INNER = {
    f"corrosion_edge.benchmarks.{name}"
    for name in ("worker", "peers.document", "peers.prepare", "peers.worker", "soak.server")
}
"""Processes that others start, and what writes the tables of another."""


@pytest.mark.parametrize("module", MODULES)
def test_what_is_told_runs(module):
    needed = NEEDS.get(module.removeprefix("corrosion_edge.benchmarks."), "click")
    if find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed")
    done = subprocess.run([sys.executable, "-m", module, "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Usage: ")


@pytest.mark.parametrize("file", FILES)
def test_files_that_are_told_are_there(file):
    assert (ROOT / file).is_file()


def test_the_reports_version_is_the_one_that_is_read():
    assert f"`format` is its version, now {FORMAT}." in TEXT
