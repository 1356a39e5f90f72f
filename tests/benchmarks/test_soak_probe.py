"""What is seen of a process."""

import os
import subprocess
import sys

import pytest

from corrosion_edge.benchmarks.soak.probe import probe
from corrosion_edge.errors import OutputError


def test_a_running_process_is_seen():
    found = probe(os.getpid())
    assert found["rss_kb"] > 1000
    assert found["threads"] >= 1
    assert found["files"] >= 1


def test_one_that_has_ended_is_not_half_a_sample():
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as ended:
        assert ended.stdout is not None
        ended.stdout.read()
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)  # it stays as a zombie
        with pytest.raises(OutputError, match=rf"process {ended.pid}: has no .*rss_kb"):
            probe(ended.pid)
    with pytest.raises(OutputError, match="cannot be looked at"):
        probe(ended.pid)
