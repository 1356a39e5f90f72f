"""The engine on a Ray cluster of two nodes of this machine, and ``classify`` on it."""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import parallel_work
import pytest
from parallel_work import Squares, Unable
from PIL import Image

from corrosion_edge.bundle import DEFAULT_MODEL
from corrosion_edge.errors import UsageError
from corrosion_edge.parallel.cluster import Actors
from corrosion_edge.parallel.ordered import Ordered

ray = pytest.importorskip("ray", reason="Ray is not installed (the extra 'ray')")

ROOT = Path(parallel_work.__file__).parents[2]


@pytest.fixture(scope="module")
def cluster():
    from ray.cluster_utils import Cluster

    paths = os.pathsep.join(path for path in sys.path if path)
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = paths  # the nodes' workers find this very package, and the tests
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    made.add_node(num_cpus=1)
    yield made
    made.shutdown()
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


def squares(cluster, work, numbers):
    with Actors(cluster.address, None, work) as workers:
        assert len(workers.each) == 2
        return list(Ordered(workers, numbers, blame=lambda number: -number))


def test_results_come_in_the_order_of_the_items(cluster):
    assert squares(cluster, Squares(), range(100)) == [n * n for n in range(100)]


def test_a_killed_actor_loses_nothing(cluster, tmp_path):
    work = Squares(deadly_once=frozenset({3, 41}), notes=tmp_path)
    assert squares(cluster, work, range(60)) == [n * n for n in range(60)]


def test_an_item_that_kills_twice_is_blamed_and_the_rest_goes_on(cluster):
    results = squares(cluster, Squares(deadly=frozenset({17})), range(60))
    assert results == [-n if n == 17 else n * n for n in range(60)]


def test_an_error_of_the_work_reaches_whoever_waits_as_it_was(cluster):
    with pytest.raises(ValueError, match=r"^no interpreter$"):
        squares(cluster, Unable(), range(9))


def test_a_node_that_goes_away_loses_nothing(cluster):
    node = cluster.add_node(num_cpus=1)
    with Actors(cluster.address, 3, Squares()) as workers:
        results = iter(Ordered(workers, range(400), blame=lambda number: -number))
        found = [next(results) for _ in range(20)]
        cluster.remove_node(node, allow_graceful=False)
        found += results
    assert found == [n * n for n in range(400)]
    _until_it_is_counted_no_more(cluster)


def _until_it_is_counted_no_more(cluster):
    ray.init(cluster.address, log_to_driver=False, logging_level="ERROR")
    end = time.monotonic() + 60
    while ray.cluster_resources()["CPU"] > 2:
        assert time.monotonic() < end
        time.sleep(0.2)
    ray.shutdown()


def test_a_cluster_that_is_not_there_is_said():
    with pytest.raises(UsageError, match=r"--ray 127\.0\.0\.1:9: no cluster can be reached"):
        Actors("127.0.0.1:9", None, Squares())


def test_more_actors_than_cores_are_refused(cluster):
    with pytest.raises(UsageError, match="--workers: 9 are more than the 2 cores of the cluster"):
        Actors(cluster.address, 9, Squares())


HOLDER = """
import sys, ray
ray.init(sys.argv[1], log_to_driver=False, logging_level="ERROR")
@ray.remote(num_cpus=1)
class Holder:
    def held(self): return True
holders = [Holder.remote() for _ in range(int(sys.argv[2]))]
print(all(ray.get([one.held.remote() for one in holders])), flush=True)
sys.stdin.read()
"""


@contextmanager
def cores_in_use(cluster, count):
    command = [sys.executable, "-c", HOLDER, cluster.address, str(count)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "True\n"
        yield
    finally:
        holder.communicate()


def test_actors_that_get_no_core_are_given_no_work(cluster, monkeypatch):
    monkeypatch.setattr("corrosion_edge.parallel.cluster._START_WITHIN", 8.0)
    with cores_in_use(cluster, 1), Actors(cluster.address, 2, Squares()) as workers:
        assert len(workers.each) == 1
        results = Ordered(workers, range(60), blame=lambda number: -number)
        assert list(results) == [n * n for n in range(60)]


def test_a_cluster_without_a_free_core_is_said(cluster, monkeypatch):
    monkeypatch.setattr("corrosion_edge.parallel.cluster._START_WITHIN", 4.0)
    with (
        cores_in_use(cluster, 2),
        pytest.raises(UsageError, match="no core became free within 4 s"),
    ):
        Actors(cluster.address, 2, Squares())


@pytest.mark.skipif(not DEFAULT_MODEL.exists(), reason="no default model yet")
def test_classify_gives_the_same_rows_and_goes_on(cluster, tmp_path):
    (tmp_path / "photos").mkdir()
    noise = np.random.default_rng(1)
    for number in range(40):
        coarse = noise.integers(0, 255, (6, 8, 3), np.uint8)
        path = tmp_path / "photos" / f"{number:02}.jpg"
        Image.fromarray(np.repeat(np.repeat(coarse, 8, 0), 8, 1)).save(path)
    (tmp_path / "photos" / "05.jpg").write_bytes(b"cut")
    here = classify(tmp_path, "--workers", 1, "--threads", 1, "--out", "here.jsonl")
    there = classify(tmp_path, "--ray", cluster.address, "--out", "there.jsonl")
    assert (here.returncode, there.returncode) == (1, 1), there.stderr
    rows = (tmp_path / "here.jsonl").read_text()
    assert (tmp_path / "there.jsonl").read_text() == rows
    assert sum('error": null' in line for line in rows.splitlines()) == 39
    lines = classify(tmp_path, "--ray", cluster.address, "--json").stdout.splitlines()
    assert [json.loads(line)["path"] for line in lines] == [
        json.loads(line)["path"] for line in rows.splitlines()
    ]


def classify(folder, *words):
    command = [sys.executable, "-m", "corrosion_edge", "classify", "photos", *map(str, words)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    assert "Traceback" not in done.stderr
    return done
