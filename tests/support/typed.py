"""Commands as a user types them, on real photos; ``-rP`` shows what they print."""

import csv
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

__all__ = ["same_scores", "typed"]

_PROGRAM = Path(sys.executable).with_name("corrosion-edge")


def typed(*words: object, code: int | None = 0) -> subprocess.CompletedProcess[str]:
    """Run ``corrosion-edge`` with these words; it ends with ``code``, unless that is None."""
    start = time.monotonic()
    ran = subprocess.run([_PROGRAM, *map(str, words)], capture_output=True, text=True)
    print(
        f"\n$ corrosion-edge {' '.join(map(str, words))}\n{ran.stdout[-1500:]}{ran.stderr[-600:]}"
    )
    print(f"[{time.monotonic() - start:.1f} s, exit code {ran.returncode}]")
    assert code is None or ran.returncode == code
    return ran


def same_scores(model: Path, data: Path, out: Path, *options: str) -> Mapping[str, Any]:
    """Judge the test photos by classify, watch and evaluate, which must agree.

    ``options`` are for evaluate, whose figures are given.
    """
    folder = data / "test"
    lines = typed("classify", folder, "--model", model, "--json").stdout.splitlines()
    classified = {v["path"]: v["score"] for v in map(json.loads, lines)}
    lines = typed("watch", "--camera", folder, "--model", model, "--json").stdout.splitlines()
    watched = {v["path"]: v["score"] for v in map(json.loads, lines)}
    typed("evaluate", model, data, "--out", out, *options)
    with (out / "scores.csv").open() as stream:
        evaluated = {row["path"]: float(row["score"]) for row in csv.DictReader(stream)}
    assert len(classified) == 182
    assert watched == classified
    assert evaluated == pytest.approx(classified, abs=1e-6)
    figures: Mapping[str, Any] = json.loads((out / "metrics.json").read_text())
    right = sum((s >= 0.5) == ("/CORROSION/" in p) for p, s in classified.items())
    assert figures["accuracy"] == pytest.approx(right / 182)
    return figures
