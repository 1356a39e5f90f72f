import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import parallel_work
import pytest
from interrupts import interruptible
from parallel_work import Holding, Squares, Unable

from corrosion_edge.errors import OutputError
from corrosion_edge.parallel.ordered import AHEAD, CHUNK, Ordered
from corrosion_edge.parallel.processes import Processes

HERE = Path(parallel_work.__file__).parent


def squares(work, numbers, count=2):
    with Processes(count, work) as workers:
        return list(Ordered(workers, numbers, blame=lambda number: -number))


def test_results_come_in_the_order_of_the_items():
    assert squares(Squares(), range(100)) == [n * n for n in range(100)]


def test_a_worker_that_dies_while_others_start_holds_nobody_up(tmp_path):
    work = Squares(deadly_once=frozenset({0}), notes=tmp_path)
    for _ in range(3):
        (tmp_path / "0").unlink(missing_ok=True)
        assert squares(work, range(20), count=3) == [n * n for n in range(20)]


def test_one_killed_before_it_could_read_what_it_is_given_holds_nobody_up(monkeypatch):
    from multiprocessing import popen_spawn_posix

    spawn, killed = popen_spawn_posix.util.spawnv_passfds, []

    def spawned(*arguments):
        pid = spawn(*arguments)
        if not killed:
            killed.append(os.kill(pid, signal.SIGKILL))
        return pid

    monkeypatch.setattr(popen_spawn_posix.util, "spawnv_passfds", spawned)
    large = Squares(ballast=b"x" * 1_000_000)
    assert squares(large, range(20)) == [n * n for n in range(20)]
    assert killed


def test_nothing_to_do_is_done():
    assert squares(Squares(), []) == []


def test_a_killed_worker_loses_nothing(tmp_path):
    work = Squares(deadly_once=frozenset({3, 40, 41}), notes=tmp_path)
    assert squares(work, range(60)) == [n * n for n in range(60)]
    assert len(list(tmp_path.iterdir())) == 3


def test_an_item_that_kills_twice_is_blamed_and_the_rest_goes_on():
    results = squares(Squares(deadly=frozenset({0, 17, 59})), range(60))
    assert results == [-n if n in (0, 17, 59) else n * n for n in range(60)]


def test_no_more_is_drawn_than_may_be_under_way():
    drawn = []

    def numbers():
        for number in range(1000):
            drawn.append(number)
            yield number

    with Processes(2, Squares()) as workers:
        for done, _ in enumerate(Ordered(workers, numbers(), blame=abs)):
            assert len(drawn) <= done + 2 * AHEAD * CHUNK + CHUNK
    assert len(drawn) == 1000


def test_an_error_of_the_work_reaches_whoever_waits():
    with pytest.raises(ValueError, match="no interpreter"):
        squares(Unable(), range(9))


def test_closing_does_not_wait_for_work_that_is_under_way():
    start = time.monotonic()
    with Processes(1, Squares(slow=frozenset({0}))) as workers:
        workers.submit([0])
    assert time.monotonic() - start < 30


def test_arrays_are_mapped_by_all_of_them():
    arrays = tuple(np.arange(n) for n in (0, 3, 1000))
    with Processes(2, Holding(arrays)) as workers:
        found = [one.submit([0, 1, 2]).result() for one in workers.each]
    assert found == 2 * [[(array.sum(), False, True) for array in arrays]]


def test_no_room_for_what_they_are_given_is_said(small_disk, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    with pytest.raises(OutputError, match=r"what each worker needs cannot be written \(No space"):
        Processes(1, Holding((np.zeros(1_000_000, np.int64),)))


def test_no_process_is_no_crew():
    with pytest.raises(ValueError, match="count: expected 1 or more"):
        Processes(0, Squares())


PARENT = """
import os, sys
sys.path.insert(0, sys.argv[1])
from parallel_work import Squares
from corrosion_edge.parallel.processes import Processes
if __name__ == "__main__":
    with Processes(1, Squares(slow=frozenset({0}))) as workers:
        workers.submit([1]).result()
        print(*workers.each[0]._pool._processes, flush=True)
        workers.submit([0]).result()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_whoever_started_them(tmp_path, how):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    parent = subprocess.Popen(
        [sys.executable, str(script), str(HERE)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        preexec_fn=interruptible,  # noqa: PLW1509 - only a signal is set, and no thread runs
    )  # fmt: skip
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    parent.send_signal(how)
    parent.wait(30)
    assert _ends(worker)


def _ends(pid: int) -> bool:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return True  # ended, and waits for somebody to ask how
        time.sleep(0.05)
    return False
