"""A real soak, for seconds: one that is sound, one whose watch leaks, one that is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("av", reason="PyAV is not installed")
pytest.importorskip("uvicorn", reason="the extra web is not installed")

SHORT = ("--warm-up", "0.05", "--fault-every", "2", "--sample-every", "0.5", "--interval", "0.2",
         "--hung-after", "1.5", "--frozen-after", "3", "--loop", "6", "--size", "320x240",
         "--seed", "43")  # fmt: skip
"""The seed draws faults that are soon over."""

LOOSE = ("--slope-limit", "3000", "--growth-limit", "12", "--latency-limit", "20")
"""Limits for seconds, in which a watch still warms up and others use the machine."""

LEAKY = """#!{python}
import threading, time
from corrosion_edge.cli import main
kept = []
def leak():
    while True:
        kept.append((bytearray(b"x" * 500_000), open("/dev/null")))
        time.sleep(0.1)
threading.Thread(target=leak, daemon=True).start()
main()
"""


def command(folder, *words):
    module = "corrosion_edge.benchmarks.soak"
    return [sys.executable, "-m", module, str(folder), *SHORT, *LOOSE, *words]


def soak(folder, *words):
    done = subprocess.run(command(folder, *words), capture_output=True, text=True, timeout=300)
    assert "Traceback" not in done.stderr, done.stderr
    return done, {c["what"]: c for c in json.loads((folder / "result.json").read_text())["checks"]}


def test_a_sound_watch_passes_and_gets_over_every_fault(tmp_path):
    done, checks = soak(tmp_path, "--minutes", "0.3")
    assert done.returncode == 0, done.stdout + done.stderr + _log(tmp_path)
    result = json.loads((tmp_path / "result.json").read_text())
    assert {"close", "dark", "model"} <= result["faults"].keys()
    assert all(set(found) == {"recovered"} for found in result["faults"].values())
    kinds = result["end"]["kinds"]
    assert {
        "camera_lost",
        "camera_recovered",
        "unusable",
        "usable",
        "model_changed",
    } <= kinds.keys()
    assert result["end"]["reported"] == sum(kinds.values())
    assert checks["store"]["found"] == "verified"
    assert not _left_over(tmp_path)


def test_a_watch_that_leaks_memory_and_files_fails(tmp_path):
    leaky = tmp_path / "leaky"
    leaky.write_text(LEAKY.format(python=sys.executable))
    leaky.chmod(0o755)
    done, checks = soak(tmp_path / "out", "--minutes", "0.2", "--fault-every", "600",
                        "--program", str(leaky))  # fmt: skip
    assert done.returncode == 3, done.stdout + done.stderr
    wrong = {name for name, check in checks.items() if check["state"] == "exceeded"}
    assert wrong == {"memory", "open files"}
    assert "memory: +" in done.stderr


@pytest.mark.slow
def test_a_soak_that_is_killed_leaves_its_record_and_no_process(tmp_path):
    process = subprocess.Popen(command(tmp_path, "--minutes", "5"), stderr=subprocess.DEVNULL)
    record = tmp_path / "soak.jsonl"
    _until(lambda: record.exists() and record.read_text().count('"sample"') > 20)
    process.send_signal(signal.SIGKILL)
    process.wait()
    _until(lambda: not _left_over(tmp_path))
    done, checks = soak(tmp_path, "--judge")
    assert checks["end"]["state"] == "open"
    assert checks["faults"]["found"]
    assert "the record stops before the end" in done.stdout


def test_a_watch_that_does_not_start_is_one_sentence(tmp_path):
    done = subprocess.run(command(tmp_path, "--", "--no-such-option"), capture_output=True,
                          text=True, timeout=120)  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"Error: the watch does not start; {tmp_path}/watch.log says why"
    )
    assert "No such option" in _log(tmp_path)
    assert not _left_over(tmp_path)


def _log(folder):
    return (folder / "watch.log").read_text()


def _left_over(folder):
    """Processes that name the folder, but for this one's own."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:
            continue
        if os.fsencode(folder) in words and int(path.parent.name) != os.getpid():
            found.append(words)
    return found


def _until(holds, within=90.0):
    end = time.monotonic() + within
    while not holds():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.1)
