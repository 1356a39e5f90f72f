"""Every command where nobody takes what it prints, in processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

WORDS = (
    ["--help"], ["--version"], ["train", "--help"], ["doctor", "--patience", "0.1"],
    ["service", "status", "--root", "/nowhere"], ["watch", "--print-config"],
    ["completion", "bash"], ["benchmark", "schema"],
)  # fmt: skip


def _run(words, *, unbuffered="", **streams):
    command = [sys.executable, "-m", "corrosion_edge", *words]
    env = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    return subprocess.run(command, env=env, text=True, check=False, **how)


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_a_full_device_is_one_line(words, unbuffered):
    with Path("/dev/full").open("w") as full:
        done = _run(words, unbuffered=unbuffered, stdout=full)
    said = "Error: standard output: cannot be written (No space left on device)\n"
    assert (done.returncode, done.stderr) == (1, said)


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_a_reader_that_left_is_silent(words, unbuffered):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        done = _run(words, unbuffered=unbuffered, stdout=pipe)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("words", [["watch", "--print-config"], ["benchmark", "schema"]])
def test_streams_that_were_closed_before_the_start_are_nobodys(words):
    done = _run(words, preexec_fn=lambda: (os.close(1), os.close(2)))
    assert done.returncode == 0


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_errors_that_cannot_be_told_still_have_their_exit_code(unbuffered):
    with Path("/dev/full").open("w") as full:
        done = _run(["fly"], unbuffered=unbuffered, stdout=full, stderr=full)
    assert done.returncode != 0
