"""``classify`` by several processes: the same lines as by one, whatever happens to them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from interrupts import interruptible
from PIL import Image

from corrosion_edge.bundle import DEFAULT_MODEL
from corrosion_edge.device.archive.running import FEW

pytestmark = pytest.mark.skipif(not DEFAULT_MODEL.exists(), reason="no default model yet")

PROGRAM = (sys.executable, "-m", "corrosion_edge", "classify")


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """More than one process judges alone; every tenth is broken."""
    monkeypatch.chdir(tmp_path)
    folder = Path("photos")
    folder.mkdir()
    noise = np.random.default_rng(1)
    for number in range(FEW + 30):
        coarse = noise.integers(0, 255, (6, 8, 3), np.uint8)
        path = folder / f"{number:03}.jpg"
        Image.fromarray(np.repeat(np.repeat(coarse, 12, 0), 12, 1)).save(path)
        if number % 10 == 9:
            path.write_bytes(path.read_bytes()[:300])
    return folder


def classify(*words):
    done = subprocess.run([*PROGRAM, *map(str, words)], capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    return done


def test_the_lines_are_the_same_to_the_last_bit(photos):
    alone = classify(photos, "--json", "--workers", 1, "--threads", 1)
    lines = [json.loads(line) for line in alone.stdout.splitlines()]
    assert [line["path"] for line in lines] == sorted(map(str, photos.iterdir()))
    assert len({line["score"] for line in lines if "score" in line}) > 5
    for words in ([], ["--workers", 2], ["--workers", 3, "--threads", 1]):
        several = classify(photos, "--json", *words)
        assert several.returncode == alone.returncode == 1
        if words or len(os.sched_getaffinity(0)) > 1:
            assert several.stdout == alone.stdout


def test_workers_compute_with_the_kernels_that_were_asked_for(photos):
    how = ("--json", "--threads", 1)
    alone, several = (classify(photos, *how, "--kernels", "builtin", "--workers", count)
                      for count in (1, 2))  # fmt: skip
    other = classify(photos, *how, "--workers", 1)
    assert several.stdout == alone.stdout
    ours, others = ([json.loads(line).get("score") for line in done.stdout.splitlines()]
                    for done in (alone, other))  # fmt: skip
    assert ours != others  # they round otherwise


def test_lines_for_people_too(photos):
    alone = classify(photos, "--workers", 1)
    several = classify(photos, "--workers", 2)
    assert (several.stdout, several.stderr) == (alone.stdout, alone.stderr)
    assert several.stderr.count("Error: ") == 9


def test_workers_draw_the_overlays(photos):
    classify(photos, "--workers", 1, "--heatmap", "one")
    classify(photos, "--workers", 2, "--heatmap", "two")
    drawn = sorted(path.relative_to("one") for path in Path("one").rglob("*.png"))
    assert len(drawn) == FEW + 30 - 9
    assert all((Path("one") / p).read_bytes() == (Path("two") / p).read_bytes() for p in drawn)


def test_overlays_that_cannot_be_written_end_it_with_a_sentence(photos):
    Path("maps/photos").mkdir(parents=True)
    Path("maps/photos/020.jpg.png").mkdir()
    done = classify(photos, "--workers", 2, "--heatmap", "maps")
    assert done.returncode == 1
    assert "Error: maps/photos/020.jpg.png: cannot be written" in done.stderr


def children(pid):
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found if b"spawn_main" in _command(child)]


def _command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def wait_for(condition):
    end = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return found


def test_a_killed_worker_loses_no_photo(photos):
    alone = classify(photos, "--json", "--workers", 1, "--threads", 1)
    command = [*PROGRAM, photos, "--json", "--workers", "2"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    os.kill(wait_for(lambda: children(process.pid))[0], signal.SIGKILL)
    lines, said = process.communicate(timeout=120)
    assert lines == alone.stdout
    assert "Traceback" not in said


def test_an_interrupt_ends_all_of_them_without_a_word(photos):
    command = [*PROGRAM, *([photos] * 20), "--json", "--workers", "2"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=interruptible,  # noqa: PLW1509 - only a signal is set, and no thread runs
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    started = children(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in said
    assert said.splitlines()[-1] == "Aborted!"
    wait_for(lambda: not any(_command(child) for child in started))
